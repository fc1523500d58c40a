//go:build unix

package control

import (
	"bytes"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"
)

// FuzzAnswer sends any bytes to the asker's end: it ends, and takes nothing for an answer that is
// not one.
func FuzzAnswer(f *testing.F) {
	for _, said := range []string{
		`{"answer":{"sessions":[]}}`, `{"event":{},"answer":null}`,
		`{"event":1}{"event":2}{"answer":{"sessions":[{"id":1}]}}`, `{"error":"no","hint":"yes"}`,
		`{}`, `{"answer":[]}`, "null", "",
		`{"answer":` + strings.Repeat("[", 20000), "\xff\x00",
	} {
		f.Add([]byte(said + "\n"))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		near, far := net.Pipe()
		defer near.Close()
		near.SetDeadline(time.Now().Add(patience))
		talking := make(chan struct{})
		go func() {
			defer close(talking)
			defer far.Close()
			far.Read(make([]byte, 4096)) // the request
			far.Write(said)
		}()
		var who WhoInfo
		err := talk(near, "who", nil, func(event json.RawMessage) {
			if !json.Valid(event) {
				t.Errorf("an event is %q", event)
			}
		}, &who)
		near.Close()
		<-talking
		if err == nil && !bytes.Contains(bytes.ToLower(said), []byte("answer")) &&
			!bytes.Contains(said, []byte(`\u`)) {
			t.Errorf("%q is taken for an answer", said)
		}
	})
}
