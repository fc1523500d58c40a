// Package server listens for one dialect: TCP over IPv4 and IPv6, Unix sockets,
// UDP.
//
//	network, addr, err := server.ParseAddress("127.0.0.1", 8080, false)
//	s, err := server.Listen(server.Config{
//		Dialect: dialect.Find("naive"), Network: network, Address: addr,
//	})
//	s.Addr()          // with the real port, where 0 was asked for
//	s.Serve(ctx)      // until ctx ends; waits for its connections
//
// Many clients are served at once, each by a goroutine that Serve waits for; the
// number of connections and their silence are bounded.
package server
