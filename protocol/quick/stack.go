package quick

// GrowStack has the calling goroutine's stack grow to 32 KiB in one step, as its first act. A stack begins with 2 KiB and is doubled, copied and walked through each
// time that it is full; in a process that lives for ten milliseconds the steps on the way to a TLS handshake, with the tables that the walks
// read for the first time, were a thirtieth of its life. Where a goroutine ends soon, or idles for long, nothing is lost: the stack shrinks again.
func GrowStack() { large(0) }

// large needs a frame of its full size at its call, whatever it does then.
//
//go:noinline
func large(i int) byte {
	if i == 0 {
		return 0
	}
	var frame [28 << 10]byte
	frame[i] = 1
	return frame[i/2]
}
