// Package announce publishes a daemon on the LAN: that there is one, its port and addresses, and
// its host key's fingerprint (protocol/mdns says in which records, and why with no library).
//
// announce.go is its life: it looks every few seconds at what is to be published, and opens and
// closes the sockets. responder.go claims the name and announces, hearing.go is about what others
// ask and say, and quota.go bounds what strangers are told.
//
// # What holds
//
//  1. Nothing here stops or delays the daemon. What goes wrong is logged once and tried again,
//     slowly. Close waits for nothing but the loop, which waits for nobody.
//  2. Only what others could use is published: while nobody could log in or pair, nothing is, and
//     no socket is open.
//  3. Only those on the link are answered: everybody at most once a second (a prober four times),
//     one by one at most maxAnswers a second in all, and maxEach of one address.
//  4. Two daemons of one name, on one machine or two, get different names: each asks first, and the
//     later one takes name-2. Generations of one daemon say the same and have the same name.
package announce
