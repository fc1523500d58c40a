//go:build unix

package access

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/process"
)

// One at a time finds out whether somebody could log in, however long that takes: the last answer
// counts for all others meanwhile, and for a second after it.
func TestJudgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, answers := make(chan string, 10), make(chan string)
		j := &judgement{find: func(likely string) string { asked <- likely; return <-answers }}
		first := make(chan bool, 1)
		ask := func() { go func() { first <- j.anyone() }(); synctest.Wait() }
		// never is whether the others are answered without anybody being asked.
		others := func(want bool) {
			t.Helper()
			for range 1000 {
				if j.anyone() != want {
					t.Fatalf("the answer is %v", !want)
				}
			}
			if len(asked) > 0 {
				t.Fatal("somebody was asked")
			}
		}
		ask()
		if likely := <-asked; likely != "" {
			t.Errorf("first %q is likely", likely)
		}
		others(false)
		answers <- "ann"
		if !<-first {
			t.Error("ann could not")
		}
		<-time.After(time.Second - 1)
		others(true)
		<-time.After(1)
		ask()
		if likely := <-asked; likely != "ann" {
			t.Errorf("then %q is likely", likely)
		}
		<-time.After(time.Hour) // her files hang
		others(true)
		answers <- ""
		if <-first {
			t.Error("nobody could, and somebody could")
		}
		ask() // that nobody could does not last
		<-asked
		answers <- ""
		<-first
		j.proved("bob")
		others(true)
		// a reload: the next one who asks finds it out, and the others are not kept out meanwhile
		j.forget()
		ask()
		if likely := <-asked; likely != "bob" {
			t.Errorf("after a reload %q is likely", likely)
		}
		others(true)
		answers <- ""
		<-first
	})
}

// For whoever knocks from beyond loopback, keys are parsed once a second and not for each; that a
// key came or went shows at once, and that one has expired within a second.
func TestAnyoneCouldParsesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		file := filepath.Join(dir, "authorized_keys")
		key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(newKey(t).Public)))
		expires := time.Now().Add(time.Hour).Truncate(time.Second)
		write := func(text string) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		acct, err := process.CurrentAccount()
		if err != nil {
			t.Fatal(err)
		}
		acct.Home = dir
		a := NewFileAccess(acct, []string{file}, Trust{},
			slog.New(slog.DiscardHandler)).(*fileAccess)
		could := func(want bool) {
			t.Helper()
			if a.AnyoneCould() != want {
				t.Errorf("the answer is %v", !want)
			}
		}
		parsings := func() time.Time { return a.judged.at }
		could(false)
		write(fmt.Sprintf("expiry-time=%q %s\n", expires.UTC().Format("20060102150405Z"), key))
		could(true)
		at := parsings()
		<-time.After(time.Second - 1)
		could(true)
		if parsings() != at {
			t.Error("it was parsed again within a second")
		}
		<-time.After(1)
		could(true)
		if parsings() == at {
			t.Error("it was not parsed again after a second")
		}
		write("# " + key + "\n")
		could(false)
		write(key + "\n")
		could(true)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		could(false)
		write(fmt.Sprintf("expiry-time=%q %s\n", expires.UTC().Format("20060102150405Z"), key))
		could(true)
		<-time.After(2 * time.Hour)
		could(false)
	})
}
