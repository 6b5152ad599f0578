"""Names that belong to operating systems and database servers and are never given to a tenant; data only."""

USERNAMES = frozenset(
    """
    abuse adm admin administrator amavis apache audio avahi backup bin bind bluetooth cdrom chrony clamav clock
    colord console courier crontab cyrus daemon dialout dip disk dnsmasq docker dovecot dovenull exim fax floppy ftp
    ftpd fwupd games gdm git gnats grafana guest halt hostmaster hostwright http httpd icinga info input irc jenkins
    kmem kvm ldap libvirt list lp lxd mail mailman mailnull man master memcache memcached messagebus mongodb
    mosquitto munin mysql mariadb nagios named netdev news nginx nobody nogroup nologin nscd ntp ntpd opendkim
    opendmarc operator oracle php plugdev polkitd postdrop postfix postgres postmaster powerdns pdns proftpd
    prometheus proxy pulse rabbitmq radius redis render rpc rpcuser root rspamd rsync rtkit saned sasl sgx shadow
    shutdown smmsp snmp spamd src ssh sshd sslcert staff statd stats strongswan stunnel sudo sudoers support sync
    sys syslog system systemd tape tcpdump tftp tomcat tor tss tty unbound users utmp uucp uuidd valkey varnish
    video vmail voice webmail webmaster wheel www wwwdata wwwrun zabbix
    """.split()
)

DATABASES = frozenset({"information_schema", "mariadb", "mysql", "performance_schema", "public", "root", "sys", "test"})
