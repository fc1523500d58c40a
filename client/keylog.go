package client

import (
	"fmt"
	"io"

	"minissh/protocol/transport"
)

// openKeyLog opens the file that --keylog names, for one handshake: TLS 1.3 has no secrets to tell after that. The writer is nil when none
// was asked for. The first time, the user is warned, whatever -q says.
func (d *Dialer) openKeyLog() (w io.Writer, end func(), err error) {
	path := d.Options.KeyLog
	if path == "" {
		return nil, func() {}, nil
	}
	file, err := transport.OpenKeyLog(path)
	if err != nil {
		return nil, func() {}, err
	}
	d.warned.Do(func() {
		d.saying.Lock()
		defer d.saying.Unlock()
		fmt.Fprintf(d.Messages, "minissh: warning: %s\n", transport.KeyLogWarning(path))
	})
	return file, func() { file.Close() }, nil
}
