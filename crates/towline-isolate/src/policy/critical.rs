//! Ports that belong to services of the system.

/// Ports from 1024 on that only a listed app may listen on, and whose they are. Below it all are.
///
/// Windows has such a list and never published it. This is ours: what an intruder would like to be
/// taken for, since secrets are sent there, or what gives a machine away.
pub const CRITICAL_PORTS: [(u16, &str); 24] = [
    (1433, "Microsoft SQL Server"),
    (1434, "Microsoft SQL Server's browser"),
    (1521, "Oracle"),
    (2049, "NFS"),
    (2375, "Docker"),
    (2376, "Docker over TLS"),
    (2379, "etcd"),
    (3128, "Squid"),
    (3268, "Active Directory"),
    (3269, "Active Directory over TLS"),
    (3306, "MySQL"),
    (3389, "Remote Desktop"),
    (5432, "PostgreSQL"),
    (5900, "VNC"),
    (5985, "WinRM"),
    (5986, "WinRM over TLS"),
    (6379, "Redis"),
    (6443, "Kubernetes"),
    (8500, "Consul"),
    (9200, "Elasticsearch"),
    (10250, "Kubernetes' agent"),
    (11211, "memcached"),
    (27017, "MongoDB"),
    (33060, "MySQL X"),
];

/// Whose port it is, if it is one of them.
pub(super) fn whose(port: u16, further: &[u16]) -> Option<&'static str> {
    match CRITICAL_PORTS.iter().find(|(critical, _)| *critical == port) {
        Some((_, service)) => Some(service),
        None if (1..1024).contains(&port) => Some("a service of the system, as all below 1024"),
        None if further.contains(&port) => Some("a service, as a policy says (critical_ports)"),
        None => None,
    }
}
