package daemon

import (
	"log/slog"
	"net/netip"

	"minissh/protocol"
	"minissh/protocol/mux"
)

var loopback = netip.MustParseAddr("127.0.0.1")

func testLog(b *logBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

func writeAll(ch *mux.Channel, text string) error {
	_, err := ch.Write(protocol.TypeStdin, []byte(text))
	if err != nil {
		return err
	}
	return ch.EOF(protocol.TypeStdin)
}
