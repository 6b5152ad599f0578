# The panel: web, worker and beat run from this one image. hostwright/base-panel is made by script/images.
FROM hostwright/base-panel
RUN useradd --system --create-home --home-dir /srv/hostwright --shell /usr/sbin/nologin hostwright
WORKDIR /srv/hostwright
COPY requirements/base.txt requirements/
COPY docker/wheels /tmp/wheels
RUN python3 -m venv /srv/venv \
    && /srv/venv/bin/pip install --quiet --no-cache-dir --no-index --find-links=/tmp/wheels \
        --require-hashes -r requirements/base.txt
ENV PATH=/srv/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=panel.settings.production
COPY docker/web-start docker/web-healthy /usr/local/bin/
COPY manage.py ./
COPY panel panel
COPY accounts accounts
COPY provisioning provisioning
COPY billing billing
COPY templates templates
COPY static static
# The values are for this step only: production settings start with none missing.
RUN HOSTWRIGHT_SECRET_KEY=build HOSTWRIGHT_VAULT_KEY=build HOSTWRIGHT_REDIS_URL=redis://build \
    HOSTWRIGHT_DATABASE_URL=postgresql://build python manage.py collectstatic --no-input --verbosity 0
USER hostwright
EXPOSE 8000
CMD ["web-start"]
