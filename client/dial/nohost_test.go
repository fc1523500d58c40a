package dial

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// Whoever has no key yet learns first that the host may be a verb, mistyped.
func TestHintForAnUnknownNameWithoutKeys(t *testing.T) {
	o := &options.Options{Alias: "prmopt", HostName: "prmopt", User: "ann",
		Port: protocol.DefaultPort}
	for noHost, hint := range map[string]string{"": "minissh pair ann@prmopt makes a key",
		"did you mean minissh prompt h?": "did you mean minissh prompt h? If prmopt is a host: " +
			"minissh pair ann@prmopt makes a key"} {
		d := &Dialer{Options: o, Messages: report.New(t.Output(), o), NoHost: noHost}
		_, err := d.Dial(t.Context(), nil)
		said, is := errors.AsType[*report.Failure](err)
		if !is || !strings.HasPrefix(said.Hint(), hint) {
			t.Errorf("%q: %v", noHost, err)
		}
	}
}

// If nobody knows the host's name, the caller's hint comes before that about ~/.ssh/config.
func TestHintForAnUnknownName(t *testing.T) {
	for _, noHost := range []string{"", "did you mean minissh prompt h?"} {
		o := &options.Options{HostName: "prmopt", Skipped: []string{"Port"}}
		d := &Dialer{Options: o, Messages: report.New(t.Output(), o), NoHost: noHost,
			Network: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.DNSError{Err: "no such host", Name: "prmopt", IsNotFound: true}
			}}
		_, err := d.newNetwork().dial(t.Context())
		var said *report.Failure
		if !errors.As(err, &said) ||
			said.What != "Could not resolve hostname prmopt: no such host" ||
			said.Hint() == "" || noHost != "" && said.Hint() != noHost {
			t.Errorf("%q: %v", noHost, err)
		}
	}
}
