package playshell

import (
	"fmt"
	"slices"
	"strings"
)

// What the course's own demonstrations ask for. The machine is as invented as the rest: its
// addresses are those that documentation may use (RFC 5737, RFC 7042).

func (s *session) whoami([]string) bool { return s.print("student\n") }

func (s *session) hostname([]string) bool { return s.print("classroom-7\n") }

// ipconfig is Windows'; with /all it is longer than one recv(1024), which is what the course shows
// it for.
func (s *session) ipconfig(args []string) bool {
	all := slices.ContainsFunc(args, func(a string) bool { return strings.EqualFold(a, "/all") })
	s.print("\nWindows IP Configuration\n\n")
	if all {
		s.print(rows("Host Name", "classroom-7", "Primary Dns Suffix", "", "Node Type", "Hybrid",
			"IP Routing Enabled", "No", "WINS Proxy Enabled", "No"))
	}
	for i, adapter := range []string{"Ethernet adapter Ethernet", "Wireless LAN adapter WLAN",
		"Ethernet adapter VirtualBox Host-Only"} {
		s.print("\n" + adapter + ":\n\n")
		s.print(rows("Connection-specific DNS Suffix", ""))
		if all {
			s.print(rows("Description", adapter[strings.LastIndexByte(adapter, ' ')+1:]+" Adapter",
				"Physical Address", fmt.Sprintf("00-00-5E-00-53-%02X", i+1), "DHCP Enabled", "Yes",
				"Autoconfiguration Enabled", "Yes"))
		}
		s.print(rows("IPv4 Address", fmt.Sprintf("192.0.2.%d", 17+i), "Subnet Mask",
			"255.255.255.0", "Default Gateway", "192.0.2.1"))
		if all {
			s.print(rows("DHCP Server", "192.0.2.1", "DNS Servers", "192.0.2.1",
				"NetBIOS over Tcpip", "Enabled"))
		}
	}
	return true
}

// rows are pairs of a name and a value, as ipconfig aligns them.
func rows(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		name := pairs[i] + " "
		for len(name) < 36 {
			name += ". "
		}
		fmt.Fprintf(&b, "   %.36s: %s\n", name, pairs[i+1])
	}
	return b.String()
}

func (s *session) ifconfig([]string) bool {
	return s.print(`eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500
        inet 192.0.2.17  netmask 255.255.255.0  broadcast 192.0.2.255
        ether 00:00:5e:00:53:01  txqueuelen 1000  (Ethernet)
        RX packets 48213  bytes 61203344 (58.3 MiB)
        TX packets 20177  bytes 2310976 (2.2 MiB)

lo: flags=73<UP,LOOPBACK,RUNNING>  mtu 65536
        inet 127.0.0.1  netmask 255.0.0.0
        loop  txqueuelen 1000  (Local Loopback)
        RX packets 812  bytes 90122 (88.0 KiB)
        TX packets 812  bytes 90122 (88.0 KiB)

`)
}

// tasklist is Windows' list of processes, also longer than one recv(1024).
func (s *session) tasklist([]string) bool {
	s.print(fmt.Sprintf("\n%-25s %8s %-16s %11s %12s\n", "Image Name", "PID", "Session Name",
		"Session#", "Mem Usage"))
	s.print(strings.Repeat("=", 25) + " " + strings.Repeat("=", 8) + " " + strings.Repeat("=", 16) +
		" " + strings.Repeat("=", 11) + " " + strings.Repeat("=", 12) + "\n")
	for i, name := range []string{"System Idle Process", "System", "smss.exe", "csrss.exe",
		"wininit.exe", "services.exe", "lsass.exe", "svchost.exe", "svchost.exe", "explorer.exe",
		"conhost.exe", "cmd.exe", "python.exe", "python.exe", "chrome.exe", "chrome.exe",
		"notepad.exe", "tasklist.exe"} {
		session := "Services"
		if i > 8 {
			session = "Console"
		}
		s.print(fmt.Sprintf("%-25s %8d %-16s %11d %10d K\n", name, i*412, session, i/9,
			(i*i*977)%90000+8))
	}
	return true
}
