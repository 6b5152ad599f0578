# Redis from Debian: the doorbell and the cache, nothing that must be kept. hostwright/base-queue is made by script/images.
FROM hostwright/base-queue
COPY docker/queue-start /usr/local/bin/
USER redis
EXPOSE 6379
CMD ["queue-start"]
