package daemon

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait of these tests: it is long, and only a failure waits so long.
const patience = time.Minute

// logBuffer keeps a log and lets tests wait for lines of it.
type logBuffer struct {
	mu     sync.Mutex
	change *sync.Cond
	text   bytes.Buffer
}

func newLogBuffer() *logBuffer {
	b := &logBuffer{}
	b.change = sync.NewCond(&b.mu)
	return b
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.change.Broadcast()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// want waits until some line holds all the words.
func (b *logBuffer) want(t testing.TB, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.change.Broadcast()
	})()
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		if line := lineWith(b.text.String(), words); line != "" {
			return line
		}
		if ctx.Err() != nil {
			t.Fatalf("no line of the log holds %q:\n%s", words, b.text.String())
		}
		b.change.Wait()
	}
}

func lineWith(text string, words []string) string {
next:
	for line := range strings.Lines(text) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue next
			}
		}
		return line
	}
	return ""
}
