package keeper

import (
	"os"
	"strings"
	"sync"
)

// bootID names the system's start (random(4)): another one means that nothing of before runs.
var bootID = sync.OnceValue(func() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // "": nobody knows
	return strings.TrimSpace(string(id))
})
