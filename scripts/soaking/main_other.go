//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "soak: not run: needs Linux (/proc)")
	os.Exit(77)
}
