package dial

import (
	"context"
	"errors"
	"net"
	"testing"

	"minissh/client/options"
	"minissh/client/report"
)

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
