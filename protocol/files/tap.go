package files

import "io"

// Tap carries one direction of a stream from one machine to another, and shows each record to see,
// which may end it with an error. It returns at the stream's end (nil), or why it broke.
func Tap(to io.Writer, from io.Reader, see func(*Record) error) error {
	in, out := NewReader(from), NewWriter(to)
	body := make([]byte, MaxBody)
	var rec Record
	for {
		if !in.Waiting() {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		err := in.Next(&rec)
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		n, err := in.Body(body[:rec.Body])
		if err != nil {
			return err
		}
		if err := see(&rec); err != nil {
			return err
		}
		if err := out.Write(&rec, body[:n]); err != nil {
			return err
		}
	}
}
