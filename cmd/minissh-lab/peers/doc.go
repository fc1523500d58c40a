// Package peers holds minimal Python clients and servers for each dialect, written
// as the course writes them, known bugs included, and the tests that run them
// against the Go ends both ways.
//
// They take an address as first argument (host:port, [v6]:port, unix:PATH) and
// variants after it. A server prints `starting PORT` when it listens. Commands
// are played by shell.py: nothing here starts a process.
//
// golden.py prints ../dialect/testdata/golden.txt with Python's own struct and
// json: `python3 golden.py > ../dialect/testdata/golden.txt`.
package peers
