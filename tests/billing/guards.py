"""The guards of billing: how each is taken out, and which test fails then; docs/billing-properties.md has them, too."""

from __future__ import annotations

from tests.guarding import Guard

PRICING = "billing/pricing"
PROPERTIES = "tests/billing/pricing/test_properties.py"
RULES = "tests/billing/pricing/test_rules.py"
METERING = "tests/billing/services/test_metering.py"
EVENTS = "tests/billing/services/test_meter_events.py"
PAYMENTS = "tests/billing/services/test_payments.py"
REFUNDS = "tests/billing/services/test_refunds.py"
STATEMENTS = "tests/billing/services/test_statements.py"

STAY = "tests/billing/services/test_papers_stay.py"
INVOICES = "tests/billing/services/test_invoices.py"

CHARGES = "tests/billing/services/test_charges.py"
SUBSCRIPTIONS = "tests/billing/services/test_subscriptions.py"
RUNS = "tests/billing/services/test_runs.py"

GUARDS = [
    Guard(
        "an event of a document counts once",
        f"{PRICING}/usage.py",
        "    return tuple(seen.values())\n",
        "    return tuple(_event(str(index), item)[1] for index, item in enumerate(value))\n",
        f"{PROPERTIES}::test_an_event_counts_once_however_often_and_in_which_order_it_is_told",
    ),
    Guard(
        "more use never costs less",
        f"{PRICING}/rating.py",
        "        if top > below:\n            yield top - below, tier.amount\n",
        "        if quantity <= top:\n            yield quantity, tier.amount\n            return\n",
        f"{PROPERTIES}::test_more_use_never_costs_less",
    ),
    Guard(
        "parts of a window sum to it",
        f"{PRICING}/rating.py",
        "    exact = whole.exact - before.exact\n",
        "    exact = rate(rule, replace(usage, start=start)).exact\n",
        f"{PROPERTIES}::test_parts_of_a_period_sum_to_the_period_however_it_is_cut",
    ),
    Guard(
        "an event across periods sums to itself",
        f"{PRICING}/rating.py",
        "    return (_counted(rule, end) - (_counted(rule, start) if start else 0)) * event.repeat\n",
        "    return _counted(rule, end - start) * event.repeat\n",
        f"{PROPERTIES}::test_what_goes_on_across_periods_counts_in_all_of_them_as_in_one",
    ),
    Guard(
        "windows begin at the seller's midnight",
        f"{PRICING}/usage.py",
        "        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.time_zone))\n",
        "        return datetime(day.year, day.month, day.day, tzinfo=UTC)\n",
        f"{PROPERTIES}::test_a_day_of_the_seller_has_the_hours_that_it_has",
    ),
    Guard(
        "a spot price is never above its cap",
        f"{PRICING}/rating.py",
        "    return min(price, cap), price > cap\n",
        "    return price, price > cap\n",
        f"{PROPERTIES}::test_a_price_in_time_is_that_of_the_start_of_each_segment_and_never_above_its_cap",
    ),
    Guard(
        "an allowance ends within what goes on",
        f"{PRICING}/rating.py",
        "    end = end if last is None else min(end, _seconds(last - event.at))\n",
        "    end = end if last is None or event.at < last else start\n",
        f"{PROPERTIES}::test_an_allowance_ends_within_what_goes_on_and_begins_when_it_is_given",
    ),
    Guard(
        "use without a price is an error",
        f"{PRICING}/rating.py",
        "    if last is not None and quantity > last:\n",
        "    if last is not None and quantity > last and rule.mode == 'none':\n",
        f"{RULES}::test_use_without_a_price_is_told_and_never_free",
    ),
    Guard(
        "any cut of a price sums to it",
        f"{PRICING}/proration.py",
        "    return until(last) - until(first)\n",
        "    return rounded(Fraction(price) * (last - first).days / (end - start).days, currency)\n",
        f"{PROPERTIES}::test_any_cut_of_a_price_sums_to_it",
    ),
    Guard(
        "no share outside of the period",
        f"{PRICING}/proration.py",
        "    if not start <= first <= last <= end or start == end:\n",
        "    if start == end:\n",
        f"{PROPERTIES}::test_days_outside_of_a_period_have_no_share",
    ),
    Guard(
        "periods count from the anchor",
        f"{PRICING}/calendar.py",
        "    return add_months(anchor, months * number)\n",
        "    for _step in range(number):\n        anchor = add_months(anchor, months)\n    return anchor\n",
        f"{PROPERTIES}::test_a_short_month_moves_nothing",
    ),
    Guard(
        "periods have no gap",
        f"{PRICING}/calendar.py",
        "    return guess if start_of(anchor, months, guess) <= day else guess - 1\n",
        "    return guess\n",
        f"{PROPERTIES}::test_periods_have_neither_gap_nor_overlap",
    ),
    Guard(
        "tax is taken once per rate",
        f"{PRICING}/totals.py",
        "            base, tax = amount, rounded(Fraction(amount) * Fraction(percent) / 100, currency)\n",
        "            base = amount\n"
        "            each = [rounded(Fraction(lines[i].amount) * Fraction(percent) / 100, currency) for i in members]\n"
        "            tax = sum(each, Decimal(0))\n",
        f"{PROPERTIES}::test_totals_are_exact_sums_and_tax_is_taken_once_per_rate",
    ),
    Guard(
        "missing cents go to those that lost most",
        f"{PRICING}/totals.py",
        "    for index in order[:missing]:\n        floors[index] += 1\n",
        "    floors[:1] = [floor + missing for floor in floors[:1]]\n",
        f"{PROPERTIES}::test_totals_are_exact_sums_and_tax_is_taken_once_per_rate",
    ),
    Guard(
        "half is rounded away from nothing",
        f"{PRICING}/money.py",
        "    whole = (2 * cents.numerator + cents.denominator) // (2 * cents.denominator)\n",
        "    whole = round(cents)\n",
        f"{PROPERTIES}::test_rounding_is_to_the_nearest_and_half_goes_away_from_nothing",
    ),
    Guard(
        "numbers are digits",
        f"{PRICING}/rules.py",
        "    if not isinstance(value, str) or not NUMBER.fullmatch(value):\n",
        "    if not isinstance(value, str) or not value.strip():\n",
        f"{RULES}::test_a_rule_is_refused_by_its_key[{{'per': ' 1'}}-per]",
    ),
    Guard(
        "a reported event counts once",
        "billing/migrations/0001_initial.py",
        'fields=("seller", "source", "event_id"), name="meter_event_once"',
        'fields=("id",), name="meter_event_once"',
        f"{EVENTS}::test_the_database_takes_an_event_once",
    ),
    Guard(
        "another content under the same name is refused",
        "billing/services/meter_events.py",
        "            if any(getattr(there, name) != getattr(row, name) for name in SAME):\n",
        "            if there.meter_id != row.meter_id:\n",
        f"{EVENTS}::test_another_content_under_the_same_name_is_a_conflict_and_nothing_is_taken",
    ),
    Guard(
        "late use is what is known now less what was charged",
        "billing/services/metering.py",
        " - sum((part.amount for part in span.parts), Decimal(0))\n",
        "\n",
        f"{METERING}::test_late_use_is_another_part_of_the_next_invoice",
    ),
    Guard(
        "what was charged stays cut as it was",
        "billing/services/metering.py",
        "    for (first, last), parts in charged.items():\n",
        "    for (first, last), parts in list(charged.items())[:0]:\n",
        f"{METERING}::test_a_moved_anchor_charges_no_day_twice_and_leaves_none_out",
    ),
    Guard(
        "an allowance is given once in a period",
        "billing/services/metering.py",
        '    if rule.window == "period" and start == max(component.starts_on, earliest):\n',
        '    if rule.window == "none":\n',
        f"{METERING}::test_what_follows_a_component_within_a_period_goes_on_with_its_allowance_and_tiers",
    ),
    Guard(
        "an event of a payment service takes effect once",
        "billing/migrations/0001_initial.py",
        'fields=("gateway", "event_id"), name="gateway_event_once"',
        'fields=("id",), name="gateway_event_once"',
        f"{PAYMENTS}::test_events_come_twice_and_in_any_order",
    ),
    Guard(
        "what a payment service tells is signed by the seller's secret",
        "billing/gateways/stripe.py",
        "            stripe.WebhookSignature.verify_header(body, signature, self._hook_secret, TOLERANCE_SECONDS)\n",
        "",
        f"{PAYMENTS}::test_what_is_not_genuine_is_refused_with_nothing_said",
    ),
    Guard(
        "only what was asked for is booked",
        "billing/services/card_payments.py",
        "            if (event.amount, event.currency) != (payment.amount, payment.currency):\n",
        "            if False:\n",
        f"{PAYMENTS}::test_another_amount_or_currency_is_not_booked_but_said",
    ),
    Guard(
        "an invoice takes no more than is open",
        "billing/services/settlements.py",
        "        part = min(amount, receivable.open, credit_of(customer)) if receivable is not None else ZERO\n",
        "        part = min(amount, credit_of(customer)) if receivable is not None else ZERO\n",
        f"{PAYMENTS}::test_what_was_paid_twice_is_credit_and_pays_the_next_invoice",
    ),
    Guard(
        "nobody pays from credit that is not there",
        "billing/services/settlements.py",
        "        part = min(amount, receivable.open, credit_of(customer)) if receivable is not None else ZERO\n",
        "        part = min(amount, receivable.open) if receivable is not None else ZERO\n",
        f"{PAYMENTS}::test_credit_can_be_used_by_hand",
    ),
    Guard(
        "no more goes back than came",
        "billing/services/refunds.py",
        "        if amount > left(payment):\n",
        "        if False:\n",
        f"{REFUNDS}::test_no_more_goes_back_than_came",
    ),
    Guard(
        "what is asked of a payment service again is done once",
        "billing/gateways/stripe.py",
        'self._client.v1.refunds.create(values, {"idempotency_key": key})',
        "self._client.v1.refunds.create(values)",
        f"{REFUNDS}::test_a_lost_answer_pays_back_once",
    ),
    Guard(
        "a booking of a bank is kept once",
        "billing/migrations/0001_initial.py",
        'fields=("organization", "reference"), name="bank_entry_once"',
        'fields=("id",), name="bank_entry_once"',
        f"{STATEMENTS}::test_a_transfer_with_the_reference_finds_its_invoice_once",
    ),
    Guard(
        "an issued invoice is never changed",
        "billing/immutability.py",
        '"an issued invoice is never changed or deleted", "OLD.status = \'issued\'")',
        '"an issued invoice is never changed or deleted", "OLD.status = \'void\'")',
        f"{STAY}::test_what_is_issued_is_not_changed[invoice]",
    ),
    Guard(
        "nothing joins an issued invoice",
        "billing/immutability.py",
        "WHERE id IN {rows} AND status = 'issued')",
        "WHERE id IN {rows} AND status = 'void')",
        f"{STAY}::test_nothing_is_added_to_an_issued_invoice",
    ),
    Guard(
        "triggers outlive migrations",
        "billing/apps.py",
        '        post_migrate.connect(immutability.put_back, sender=self, dispatch_uid="billing.put_back")\n',
        "",
        f"{STAY}::test_a_table_that_is_made_anew_keeps_its_guards",
    ),
    Guard(
        "a cause is booked once",
        "billing/migrations/0001_initial.py",
        'constraint=models.UniqueConstraint(fields=("seller", "key"), name="ledger_once")',
        'constraint=models.UniqueConstraint(fields=("seller", "key", "id"), name="ledger_once")',
        f"{INVOICES}::test_the_books_take_a_cause_once",
    ),
    Guard(
        "parts of credit sum to the invoice",
        "billing/services/invoices.py",
        "        earlier[str(done.credits_id)] -= done.amount\n    before",
        "        pass\n    before",
        f"{INVOICES}::test_parts_of_credit_sum_to_the_whole",
    ),
    Guard(
        "a paper is mailed once",
        "billing/services/paper_mail.py",
        'once=f"paper:{invoice.pk}"',
        'once=ids.new("pap")',
        "tests/billing/services/test_paper_mail.py::test_a_mail_that_left_before_a_crash_does_not_leave_again",
    ),
    Guard(
        "a late run leaves what daily runs leave",
        "billing/services/runs.py",
        "on=day, now=now, wanted=chosen",
        "on=today, now=now, wanted=chosen",
        f"{RUNS}::test_a_run_that_comes_late_leaves_what_daily_runs_leave",
    ),
    Guard(
        "a second run does nothing",
        "billing/services/subscriptions.py",
        "        subscription.billed_until = charges.reach(subscription, until)\n",
        "",
        f"{RUNS}::test_a_second_run_does_nothing_and_an_earlier_day_neither",
    ),
    Guard(
        "one that can't be billed holds up nobody",
        "billing/services/runs.py",
        "        if len(ids) > 1:\n            return [failed for one in ids for failed in _each([one], work)]\n",
        "",
        f"{RUNS}::test_one_that_can_not_be_charged_is_parked_and_told_and_the_others_are_billed",
    ),
    Guard(
        "a trial costs nothing until it is over",
        "billing/services/subscriptions.py",
        "    if subscription.trial_until is None or subscription.trial_until <= day:\n",
        "    if subscription.pk:\n",
        f"{RUNS}::test_a_trial_is_not_charged_before_it_is_over_however_early_invoices_are",
    ),
    Guard(
        "up and down at one instant is nothing",
        "billing/services/charges.py",
        "max(on, first_day(subscription)), stop - DAY, stop",
        "first_day(subscription), stop - DAY, stop",
        f"{CHARGES}::test_up_and_down_at_one_instant_is_nothing_and_credit_never_exceeds_what_was_charged",
    ),
    Guard(
        "what is not charged yet is split by a change",
        "billing/services/charges.py",
        "    start = max(days[0], component.starts_on)\n",
        "    start = days[0]\n",
        f"{CHARGES}::test_a_change_of_what_is_not_charged_yet_splits_the_period_to_come",
    ),
    Guard(
        "cancelled, resumed and cancelled again is charged right",
        "billing/services/charges.py",
        "component=row.component, kind=row.kind, starts_on=row.starts_on, ends_on=row.ends_on\n        ).count()\n",
        "component=row.component, kind=row.kind, starts_on=row.starts_on, ends_on=row.ends_on\n        ).count() * 0\n",
        f"{SUBSCRIPTIONS}::test_cancelled_at_the_end_resumed_and_cancelled_again_is_charged_right",
    ),
    Guard(
        "an account has one subscription at a time",
        "billing/migrations/0010_one_of_account.py",
        'fields=("hosting",),',
        'fields=("id",),',
        f"{SUBSCRIPTIONS}::test_a_package_changes_with_its_account_or_not_at_all",
    ),
    Guard(
        "what never began costs nothing",
        "billing/services/subscriptions.py",
        "    if day < subscription.starts_on:\n        fees",
        "    if day > subscription.starts_on:\n        fees",
        f"{SUBSCRIPTIONS}::test_what_never_began_costs_no_setup_fee_either",
    ),
    Guard(
        "a preview refuses what the change refuses",
        "billing/services/subscriptions.py",
        "    _check_change(actor, subscription, price, on, today)\n    now",
        "    now",
        f"{SUBSCRIPTIONS}::test_a_buyer_sees_what_a_change_costs_of_what_it_is_offered_alone",
    ),
    Guard(
        "late use comes as timely runs charge it",
        "billing/services/metering.py",
        "scope.document(rule, span.counted, span.end, due_on)",
        "scope.document(rule, span.counted, span.end, date(9999, 1, 1))",
        f"{RUNS}::test_late_use_of_two_months_of_a_pause_comes_as_daily_runs_charge_it",
    ),
    Guard(
        "late use of a shared window is charged in all of it",
        "billing/services/metering.py",
        "until >= scope.midnight(span.counted)",
        "until >= scope.midnight(span.start)",
        f"{METERING}::test_late_use_of_a_window_that_others_share_is_charged_in_all_of_it",
    ),
    Guard(
        "use of long ago is refused",
        "billing/services/meter_events.py",
        "    if event.begins < timezone.now() - LATE:\n",
        "    if event.begins < timezone.now() - 9 * LATE:\n",
        f"{EVENTS}::test_use_is_taken_for_half_a_year_and_what_was_told_is_told_again_for_ever",
    ),
    Guard(
        "a state never goes back",
        "billing/services/subscriptions.py",
        "    if Subscription.Status.values.index(now) > Subscription.Status.values.index(subscription.status):\n",
        "    if now:\n",
        f"{RUNS}::test_a_state_never_goes_back",
    ),
    Guard(
        "numbers follow days",
        "billing/services/numbers.py",
        "    return max(on, newest or on)\n",
        "    return on\n",
        f"{RUNS}::test_numbers_follow_days_whatever_was_issued_during_a_pause",
    ),
]
