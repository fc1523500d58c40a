//go:build unix

package access

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"minissh/daemon/process"
	"minissh/protocol/testend"
)

// fakeHelpers stand for helpers that ask a file server.
type fakeHelpers struct {
	started atomic.Int32
	hung    uint32        // the account whose files do not answer
	answers chan struct{} // closed when they answer again
}

// fakeHelper cannot be killed while its files hang, as the kernel has it.
type fakeHelper struct {
	in   *io.PipeReader
	out  *io.PipeWriter
	dead chan struct{}
}

func (f *fakeHelpers) start() (*reader, error) {
	f.started.Add(1)
	in, requests := io.Pipe()
	answers, out := io.Pipe()
	h := &fakeHelper{in, out, make(chan struct{})}
	go f.serve(h)
	return newReader(h, requests, answers), nil
}

func (f *fakeHelpers) serve(h *fakeHelper) {
	defer close(h.dead)
	defer h.out.Close()
	in, out := json.NewDecoder(h.in), json.NewEncoder(h.out)
	for {
		var request readRequest
		if in.Decode(&request) != nil {
			return
		}
		if request.UID == f.hung {
			<-f.answers
		}
		if out.Encode(make([]readFile, len(request.Files))) != nil {
			return
		}
	}
}

// Kill waits as Process.Kill does.
func (h *fakeHelper) Kill(context.Context) ([]process.Survivor, error) {
	h.in.Close()
	select {
	case <-h.dead:
	case <-time.After(5 * time.Second):
	}
	return nil, nil
}

func (h *fakeHelper) Close() error          { return errors.Join(h.in.Close(), h.out.Close()) }
func (h *fakeHelper) Done() <-chan struct{} { return h.dead }

const hungUID, honestUID = 1, 2

// logIn reads the keys of an account, as a login does, and returns how long that took.
func logIn(ctx context.Context, k *keyReader, uid uint32) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := k.read(ctx, process.Account{UID: uid, Credential: &process.Credential{UID: uid}},
		[]string{"keys"})
	return time.Since(began), err
}

// withHungFiles runs a test beside an account whose files do not answer.
func withHungFiles(t *testing.T, test func(t *testing.T, k *keyReader, f *fakeHelpers)) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeHelpers{hung: hungUID, answers: make(chan struct{})}
		k := newKeyReader(process.Account{})
		k.start = f.start
		test(t, k, f)
		k.close()
	})
}

// Forty logins of an account whose files hang, in helpers that cannot be killed, keep nobody else
// waiting, and leave no more helpers than the account's share, however long it goes on.
func TestHungFilesKeepNobodyElseWaiting(t *testing.T) {
	withHungFiles(t, func(t *testing.T, k *keyReader, f *fakeHelpers) {
		ended := make(chan error)
		for range 40 {
			go func() {
				_, err := logIn(t.Context(), k, hungUID)
				ended <- err
			}()
		}
		synctest.Wait()
		testend.Until(t, "those that hang have helpers", func() bool {
			return f.started.Load() == 6
		})
		synctest.Wait()
		honest := func(most time.Duration) {
			t.Helper()
			if took, err := logIn(t.Context(), k, honestUID); err != nil || took > most {
				t.Errorf("another account's login took %v, %v", took, err)
			}
		}
		honest(readersWait) // for a helper that may be about to be free
		honest(0)
		failed := map[error]int{}
		for range 40 {
			err := <-ended
			failed[errors.Unwrap(err)]++
		}
		if failed[errSlow] != 6 || failed[errWaits] != 34 {
			t.Errorf("the logins have failed with %v", failed)
		}
		honest(0)
		if f.started.Load() != 7 || len(k.places) != 0 {
			t.Errorf("%d helpers were started, want 6 and one; %d places are taken",
				f.started.Load(), len(k.places))
		}
		if took, err := logIn(t.Context(), k, hungUID); !errors.Is(err, errWaits) {
			t.Errorf("one more login: %v, %v", took, err)
		}
		close(f.answers)
		synctest.Wait()
		if took, err := logIn(t.Context(), k, hungUID); err != nil || took != 0 {
			t.Errorf("the files answer again: %v, %v", took, err)
		}
		if len(k.users) != 0 || len(k.slow) != 0 {
			t.Errorf("%d accounts are remembered, %d as slow", len(k.users), len(k.slow))
		}
	})
}

// A daemon that is stopped does not wait for files that hang.
func TestReadingEndsWithItsContext(t *testing.T) {
	withHungFiles(t, func(t *testing.T, k *keyReader, f *fakeHelpers) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan time.Duration)
		go func() {
			took, _ := logIn(ctx, k, hungUID)
			ended <- took
		}()
		synctest.Wait()
		if cancel(); <-ended != 0 {
			t.Error("a reading does not end with its context")
		}
		close(f.answers)
	})
}
