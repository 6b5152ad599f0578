/* Draws use over time from the tables of the page. Without it, or without a canvas, the tables say the same. */
(function () {
  "use strict";

  var UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
  var drawn = [];

  function size(count) {
    var step = 0;
    while (Math.abs(count) >= 1000 && step < UNITS.length - 1) { count /= 1000; step += 1; }
    return String(Math.round(count * 10) / 10) + "\u00a0" + UNITS[step];
  }

  function shade(name, element) { return getComputedStyle(element).getPropertyValue(name).trim(); }

  function read(figure) {
    var days = [], values = [];
    figure.querySelectorAll("tbody tr").forEach(function (row) {
      var at = row.querySelector("time"), figures = row.querySelectorAll("data");
      days.push(at ? Date.parse(at.getAttribute("datetime") + "T00:00:00Z") / 1000 : Number(figures[0].value));
      values.push(Number(figures[figures.length - 1].value));
    });
    return [days, values];
  }

  /* A custom property that is itself a function of others is only resolved where it is used as a colour. */
  function colour(figure, variable) {
    var probe = document.createElement("span");
    probe.className = "chart-" + variable;
    figure.appendChild(probe);
    var found = shade("color", probe);
    probe.remove();
    return found;
  }

  /* Without a pointer on it, a chart says its newest day. */
  function newest(plot, series) { return plot.data[series][plot.data[series].length - 1]; }

  /* The first days of something new stand at the end of a week; a line needs two of them. */
  function week(plot, low, high) {
    if (plot.data[0].length === 1) { high = low; }  /* uPlot would show the years after a single day */
    return [Math.min(low, high - 6 * 86400), high];
  }
  function few(plot) { return plot.data[0].length < 3; }

  function options(figure, width, top) {
    var bytes = figure.dataset.chart === "bytes", currency = figure.dataset.currency;
    var line = colour(figure, "line"), quiet = colour(figure, "quiet"), grid = colour(figure, "rule");
    var page = document.documentElement.lang;
    var language = page === "en" ? "en-GB" : page || undefined;  /* the day first, as the pages write it */
    var counts = figure.dataset.axis === "number", exact = figure.dataset.chart === "exact";
    var day = new Intl.DateTimeFormat(language, currency ? { month: "short", year: "2-digit", timeZone: "UTC" } : { day: "numeric", month: "short", timeZone: "UTC" });
    var places = Number(figure.dataset.places || 0);
    var amount = new Intl.NumberFormat(language, { minimumFractionDigits: places, maximumFractionDigits: places });
    var round = new Intl.NumberFormat(language, { maximumFractionDigits: 6 });
    var place = function (at) { return counts ? round.format(at) : day.format(at * 1000); };
    var axis = { stroke: quiet, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "12px Inter, sans-serif" };
    var write = function (value) { return value === null || value === undefined ? "" : bytes ? size(value) : currency ? amount.format(value) + "\u00a0" + currency : String(value); };
    var mark = function (value) { return value !== null && (currency || exact) ? round.format(value) : write(value); };
    return {
      width: width, height: 160, tzDate: function (at) { return uPlot.tzDate(new Date(at * 1000), "Etc/UTC"); },
      padding: [null, counts ? 44 : null, null, null],  /* room for half of the last quantity */
      cursor: { y: false, points: { size: 7 } },
      legend: { live: true },
      scales: { x: counts ? { time: false } : { range: week }, y: { range: function (plot, low, high) { return [Math.min(low, 0) * 1.08, (exact || counts ? high || 1 : Math.max(high, top || 0, 1)) * 1.08]; } } },
      axes: [
        Object.assign({}, axis, { grid: { show: false }, values: function (plot, at) { return at.map(place); }, space: 64 }),
        Object.assign({}, axis, { values: function (plot, ticks) { return ticks.map(mark); }, size: 64, space: 32, incrs: bytes || currency || exact ? undefined : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] })
      ],
      series: [
        { label: figure.querySelector("th").textContent, value: function (plot, at) { return place(at === null ? newest(plot, 0) : at); } },
        { label: figure.dataset.label, stroke: line, width: 2, fill: colour(figure, "fill"), value: function (plot, value, series) { return write(value === null ? newest(plot, series) : value); }, points: { show: few } }
      ]
    };
  }

  function draw(figure) {
    var place = figure.querySelector(".chart-plot");
    if (!place || !window.uPlot || !place.clientWidth) { return; }
    var data = read(figure);
    var limit = Number(figure.dataset.limit || 0);
    var settings = options(figure, place.clientWidth, 0);
    /* A limit is drawn where it says something: far above the use it would only flatten the line. */
    if (limit && limit <= Math.max.apply(null, data[1]) * 4) {
      settings.series.push({ label: figure.dataset.limitLabel, stroke: colour(figure, "limit"), width: 1.5, dash: [5, 4], points: { show: false }, value: settings.series[1].value });
      data.push(data[0].map(function () { return limit; }));
    }
    place.replaceChildren();
    drawn.push({ plot: new uPlot(settings, data, place), place: place });
  }

  function drawAll() {
    drawn.forEach(function (item) { item.plot.destroy(); });
    drawn = [];
    document.querySelectorAll("figure[data-chart]").forEach(draw);
  }

  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("panel:theme", drawAll);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  var waiting;
  window.addEventListener("resize", function () { clearTimeout(waiting); waiting = setTimeout(drawAll, 120); });
})();
