//go:build !unix

package lesson

import (
	"context"
	"errors"
	"net"
)

// errNoReuse says that the demonstration does not fit the system: on Windows
// SO_REUSEADDR would let two servers share a port.
var errNoReuse = errors.New("SO_REUSEADDR means something else here")

func listenReuse(context.Context, string, bool) (net.Listener, error) { return nil, errNoReuse }
