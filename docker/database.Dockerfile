# PostgreSQL from Debian. hostwright/base-database is made by script/images.
FROM hostwright/base-database
COPY docker/database-start /usr/local/bin/
RUN install --directory --owner=postgres --group=postgres --mode=0700 /var/lib/hostwright
VOLUME /var/lib/hostwright
USER postgres
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["database-start"]
