# A disposable target server: Debian with systemd and every daemon. hostwright/base-target is made by script/images.
FROM hostwright/base-target
COPY docker/target-start /usr/local/sbin/
STOPSIGNAL SIGRTMIN+3
EXPOSE 22 25 53 53/udp 80 143 443 993 3306
CMD ["/usr/local/sbin/target-start"]
