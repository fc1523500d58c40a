// Package pcap writes runs of the lab as capture files for Wireshark and tshark, in the pcapng
// format.
//
//	pcap.go     Stream: one connection as packets; Write: the file
//	run.go      FromTape, FromTraces: what was recorded, as streams
//
// Only the bytes, their order, their pieces and their times were seen. Addresses, ports, sequence
// numbers, handshakes and acknowledgements are made up, which the file itself says, in a comment of
// the section; a packet that stands for several segments has a comment, too. Addresses are those
// that RFC 5737 keeps for documents. Checksums are right.
package pcap
