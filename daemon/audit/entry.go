package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"minissh/protocol"
)

// Who is whom an entry is about.
type Who struct {
	User    string // as the client says
	UID     uint32 // of the account; counts with Known
	Known   bool   // whether the client has logged in
	Key     string // "ED25519 SHA256:…", or "uid N"
	KeyID   string // of a certificate
	Addr    netip.AddrPort
	Session int64 // its number, as minisshd who shows it; 0: none yet
}

// line is an entry as it is written.
func line(now time.Time, number int64, rest []byte) []byte {
	return fmt.Appendf(nil, `{"time":"%s","daemon":%d,"seq":%d,%s`,
		now.Format("2006-01-02T15:04:05.000Z07:00"), os.Getpid(), number, rest)
}

// content is an entry without what it begins with. args are pairs of a name and a value, as with
// slog. It may be long, and take its time.
func content(event string, who *Who, args []any) []byte {
	var b bytes.Buffer
	put := func(name string, value any) {
		text, err := json.Marshal(value)
		if err != nil { // nothing that is put here can do that
			text, _ = json.Marshal(fmt.Sprint(value))
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(name)
		b.Write(key)
		b.WriteByte(':')
		b.Write(text)
	}
	put("event", strings.ReplaceAll(strings.ToLower(event), " ", "_"))
	if who != nil {
		put("user", protocol.Bytes(who.User))
		if who.Known {
			put("uid", who.UID)
		}
		put("from", from(who.Addr))
		if who.Key != "" {
			put("key", who.Key)
		}
		if who.KeyID != "" {
			put("key_id", protocol.Bytes(who.KeyID))
		}
		if who.Session > 0 {
			put("session", who.Session)
		}
	}
	for i := 0; i+1 < len(args); i += 2 {
		name, _ := args[i].(string)
		switch value := args[i+1].(type) {
		case string:
			put(name, protocol.Bytes(value)) // what is not UTF-8 stays what it is (RULES A10)
		case error:
			put(name, protocol.Bytes(value.Error()))
		case time.Duration:
			put(name, value.Milliseconds())
		default:
			put(name, value)
		}
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func from(addr netip.AddrPort) string {
	if !addr.IsValid() {
		return "unix socket"
	}
	return addr.String()
}
