package lesson

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

// python runs a line of this project's own in the machine's Python, if it has one.
func python(ctx context.Context, code string) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "python3", "-S", "-c", code)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err == nil && len(out) > 0
}
