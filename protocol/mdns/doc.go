// Package mdns is what the two ends say to each other on the LAN before they know each other:
// multicast DNS (RFC 6762) with DNS-SD (RFC 6763), as far as one service needs it. A daemon
// publishes itself with it (daemon/announce), and a client looks for daemons (client/lan).
//
// Reading order:
//
//	service.go  what is published about one daemon, and the records that say so
//	question.go questions: how one is put, and what a daemon sees in one
//	answer.go   what a client takes from an answer
//	group.go    the sockets: which packets are taken at all, and where they are sent
//
// # Records
//
// A daemon on port 7422 of the machine web01 publishes
//
//	_services._dns-sd._udp.local.  PTR  _minissh._tcp.local.
//	_minissh._tcp.local.           PTR  web01._minissh._tcp.local.
//	web01._minissh._tcp.local.     SRV  0 0 7422 web01-minissh.local.
//	web01._minissh._tcp.local.     TXT  "txtvers=1" "hostkey=SHA256:…"
//	web01-minissh.local.           A, AAAA: the addresses where it listens
//
// The host's name has a suffix of our own, since web01.local belongs to the machine's own responder
// (avahi, systemd-resolved, mDNSResponder): other addresses under the same name would be a conflict
// to it, and it would rename the machine.
//
// The port is shared with that responder. What is sent to everybody reaches both; what is sent to
// this machine's port alone may reach either, so the other one may miss an answer to its own probe,
// and sees a conflict when the name is announced.
//
// # Bounds
//
// A packet has at most MaxPacket bytes and is looked at for at most maxRecords records. Packets
// from beyond the link are dropped (RFC 6762 section 11). All text in an answer is a stranger's.
//
// # Why no mDNS library
//
// hashicorp/mdns 1.0.7 is kept, but it neither withdraws (goodbye) nor announces nor probes. It
// joins the group on one interface, answers whoever sends a packet from any network, has no limit
// to its rate, and loops without a pause when reading fails. Its client keeps all that it is sent.
// brutella/dnssd and grandcat/zeroconf were not to be had. The hard part, DNS messages from
// strangers, is golang.org/x/net/dns/dnsmessage, which the standard library's resolver uses too.
package mdns
