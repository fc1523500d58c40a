// Package lan finds the daemons that announce themselves on the LAN (minisshd --announce), and says
// whether known_hosts knows them.
//
//	hosts, err := lan.Find(ctx, time.Second)
//	for _, host := range hosts {
//		switch host.Known(db).Status { … }
//	}
//
// find.go asks and waits, crowd.go keeps what was answered, within bounds, and known.go judges.
//
// All that a Host holds is what a stranger says: it is shown quoted (Host.Shown), and nobody
// connects because of it alone. One machine may be in the list several times, with different
// addresses, if it has several links; and when two Hosts have one name, one of them may lie. What a
// Host claims is proved only by connecting, when known_hosts decides as ever.
//
// A daemon whose name has a dot in it is not found: the library's form of names has no place for
// it. Ours have none.
package lan
