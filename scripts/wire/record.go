package wire

const recordHeader = 5 // type, version, and the length of what follows in the last two bytes

// records follows TLS's records along a stream. The zero value is at the stream's beginning.
type records struct {
	header [recordHeader]byte
	at     int // bytes of the current record that have passed; 0 between two records
}

// size is the current record's, 0 as long as its header has not passed.
func (r *records) size() int {
	if r.at < recordHeader {
		return 0
	}
	return recordHeader + int(r.header[3])<<8 + int(r.header[4])
}

// pass moves along.
func (r *records) pass(p []byte) {
	for len(p) > 0 {
		if r.at < recordHeader {
			r.header[r.at] = p[0]
			r.at++
			p = p[1:]
		} else {
			n := min(len(p), r.size()-r.at)
			r.at += n
			p = p[n:]
		}
		if r.at == r.size() {
			r.at = 0
		}
	}
}

// toMiddle is how many of the bytes that come next may pass until the middle of a record is
// reached: 0 if it is.
func (r *records) toMiddle(p []byte) int {
	switch {
	case r.at > 0:
		return 0
	case len(p) < recordHeader:
		return 1
	}
	return min(len(p), (recordHeader+int(p[3])<<8+int(p[4]))/2)
}
