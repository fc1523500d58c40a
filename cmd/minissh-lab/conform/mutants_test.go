//go:build linux

package conform

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is one wrong line in a program that is otherwise right, and the rule that it breaks.
type mutant struct{ rule, name, old, new string }

// clientMutants are of scripts/minissh.py.
var clientMutants = []mutant{
	{"FR2", "takes frames of any length", `if length > {**JSON, **SIZE}.get(kind, MAX):`,
		`if length > 1 << 40:`},
	{"FR3", "does not look at reserved", `if (reserved or flags >`, `if (flags >`},
	{"FR4", "forgets a part of a frame", `self.into + data`, `data`},
	{"FR5", "mixes up both outputs", `self.screen[kind - 16] += body`,
		`self.screen[19 - kind] += body`},
	{"FR6", "takes an unknown type for a bad frame", `raise Failure(hex(kind), "unknown_type")`,
		`raise Failure(hex(kind), "bad_frame")`},
	{"FR7", "does not say ERROR",
		`if isinstance(e, Failure): client.send(ERROR, {"code": e.args[1], "message": e.args[0]})`,
		`if isinstance(e, Failure): pass`},
	{"JS1", "takes JSON of any depth", `and depth > 8`, `and depth > 99`},
	{"JS2", "takes a key twice", `if len(dict(pairs)) == len(pairs) and all(`, `if all(`},
	{"JS4", "takes large numbers", `>= 1 << 63`, `>= 1 << 99`},
	{"CH1", "opens an even channel", `0 if kind in LINK else 1)`, `0 if kind in LINK else 2)`},
	{"CH4", "takes a NOTICE at any time", `if self.next in (EOF, EXIT): due.add(NOTICE)`,
		`due.add(NOTICE)`},
	{"CH5", "sends STDIN without credit", `min(MAX, self.credit - self.used)`, `MAX`},
	{"CH5", "takes a WINDOW that shrinks",
		`elif kind == WINDOW: raise Failure(f"{total} after {self.credit}", "bad_window")`,
		`elif kind == WINDOW: pass`},
	{"CH5", "takes more output than it allows", `if self.got > self.granted: raise`,
		`if False: raise`},
	{"CH7", "never grants anything", `total - self.granted >= self.window // 2`, `False`},
	{"CH8", "takes frames of any channel", `if self.up and channel > 1: raise`, `if False: raise`},
	{"EX4", "does not say where its input ends", `if data else (EOF, bytes([STDIN])))`,
		`if data else (PING, bytes(8)))`},
	{"EX6", "exits with 0 whatever happened", `0 <= code < 256: sys.exit(code)`,
		`0 <= code < 256: sys.exit(0)`},
	{"SE1", "begins with another epoch", `self.epoch + 1, False`, `self.epoch + 2, False`},
	{"SE2", "takes a WELCOME of few channels", `or channels < 16: raise`, `: raise`},
	{"SE5", "takes a lost link for success",
		`elif not self.hold: raise Failure(f"the link is lost; {self.outcome()}")`,
		`elif not self.hold: sys.exit(0)`},
	{"SE6", "answers PING with other bytes", `self.pong = self.send(PONG, self.pong)`,
		`self.pong = self.send(PONG, bytes(8))`},
	{"CO3", "prints what the daemon says as it is",
		`f"the daemon says {ascii(body)[:2000]}", str(body.get("code"))`,
		`f"the daemon says {body.get('message')}", str(body.get("code"))`},
	{"RE1", "acknowledges nothing", `if self.peer > 0 and self.told < self.received:`, `if False:`},
	{"RE3", "sends nothing again", `self.queue += self.kept`, `pass`},
	{"RE5", "runs a command twice", `if self.peer < 0 and self.epoch > 1 and uptime <`,
		`if False and uptime <`},
	{"RE8", "tries on with a session that is over",
		`if kind == ERROR and self.epoch > 1 and not self.up and code in AGAIN.split()`,
		`if kind == ERROR and self.epoch > 1 and not self.up`},
}

// daemonMutants are of scripts/minisshd.py.
var daemonMutants = []mutant{
	{"FR2", "takes frames that are too long for their type", `if length > SIZES[kind][1]: raise`,
		`if False: raise`},
	{"FR3", "does not look at reserved", `if reserved != 0: raise`, `if False: raise`},
	{"FR6", "takes an unknown type for a bad frame",
		`if kind not in SIZES: raise Failure("unknown_type"`,
		`if kind not in SIZES: raise Failure("bad_frame"`},
	{"FR7", "closes without a word",
		`self.leave("session_ended"); self.closing = time.monotonic() + 2`,
		`self.leave("session_ended"); self.close()`},
	{"JS1", "takes JSON that is deeper", `and depth == 8`, `and depth == 9`},
	{"JS2", "takes a key twice", `if len(dict(pairs)) < len(pairs): raise`, `if False: raise`},
	{"JS2", "looks at JSON ahead of the channel",
		`parse(kind, body) if kind in FIELDS and kind >= 0x80`,
		`(parse(kind, body), body)[kind < 0x80] if kind in FIELDS`},
	{"JS4", "takes large numbers", `-1 << 63 <= int(text) < 1 << 63`, `True`},
	{"JS4", "takes a listener below 0", `if o["agent"] != 0 or`, `if o["agent"] > 0 or`},
	{"JS4", "takes a channel below 0 for a fault of the wire", `"accept": bool, "in": int,`,
		`"accept": bool, "in": bool,`},
	{"EX1", "resolves a directory's name by its text", `where = os.path.join(home, o["dir"])`,
		`where = os.path.normpath(os.path.join(home, o["dir"]))`},
	{"CH1", "takes a channel again", `if channel % 2 == 0 or channel <= self.last: raise`,
		`if channel % 2 == 0: raise`},
	{"CH2", "takes a channel too many", `if len(self.channels) >= CHANNELS: raise`,
		`if len(self.channels) > CHANNELS: raise`},
	{"CH4", "takes a second EOF", `if self.eof: raise Failure("unexpected_frame", "a second EOF")`,
		`if False: raise Failure("unexpected_frame", "a second EOF")`},
	{"CH5", "sends more than its credit", `window = granted = credit = START`,
		`window = granted = START; credit = 2 * START`},
	{"CH5", "takes more than it granted", `if self.got > self.granted: raise`, `if False: raise`},
	{"CH5", "takes a WINDOW that shrinks", `if total <= self.credit: raise`, `if False: raise`},
	{"CH8", "takes frames of unknown channels for out of order", `raise Failure("unknown_channel"`,
		`raise Failure("unexpected_frame"`},
	{"CH9", "goes on although nobody wants it", `if self.proc: self.stop("cancelled")`,
		`if self.proc: pass`},
	{"EX1", "takes any variable", `if re.fullmatch(VARIABLES, name))`, `if True)`},
	{"EX3", "is silent about unknown signals", `elif name not in SIGNALS: self.notice(`,
		`elif name not in SIGNALS: (lambda _: None)(`},
	{"EX5", "says nothing of held output",
		`self.told = self.notice({"notice": "output_held", "exit": self.outcome}) or True`,
		`self.told = True`},
	{"EX6", "says 0 for each exit code", `exit["code"] = os.WEXITSTATUS(status)`,
		`exit["code"] = 0`},
	{"EX8", "gives another reason", `raise Refused("start_failed"`, `raise Refused("internal"`},
	{"SU1", "takes a missing name for an unknown one", `"bad_request", "name is missing"`,
		`"service_refused", "name is missing"`},
	{"SU1", "gives another reason", `"service_refused", "there is no such subsystem"`,
		`"unknown_service", "there is no such subsystem"`},
	{"SU2", "greets ahead of the program", `{"command": subsystems[o["name"]]`,
		`{"command": b"echo hello; " + subsystems[o["name"]]`},
	{"PA3", "takes PAIR for a frame like others", `if not self.session and kind != HELLO: raise`,
		`if not self.session and kind not in (HELLO, PAIR): raise`},
	{"SE1", "takes any name of a session",
		`if not re.fullmatch("[0-9a-f]{64}", get("session")): raise`, `if False: raise`},
	{"SE2", "allows few channels", `"channels": CHANNELS, "uptime_ms"`,
		`"channels": 8, "uptime_ms"`},
	{"SE5", "goes on after GOODBYE",
		`elif kind in (GOODBYE, ERROR): self.leave("session_ended"); self.close()`,
		`elif kind in (GOODBYE, ERROR): pass`},
	{"SE6", "answers PING with other bytes", `self.pong = self.send(PONG, self.pong)`,
		`self.pong = self.send(PONG, bytes(8))`},
	{"SE11", "is silent about its end", `if c.proc: c.notice(`, `if False: c.notice(`},
	{"CO1", "gives a session to whoever comes later", `if old: raise Failure("session_expired"`,
		`if False: raise Failure("session_expired"`},
	{"RE1", "takes an ACK that it never wanted",
		`elif kind == ACK: raise Failure("bad_ack", "ACK for an end whose resend is 0")`,
		`elif kind == ACK: pass`},
	{"RE3", "does not look at epochs", `if old and get("epoch") <= old.epoch: raise`,
		`if False: raise`},
	{"RE4", "forgets how a session ended",
		`elif kind in (GOODBYE, ERROR): self.leave("session_ended")`,
		`elif kind in (GOODBYE, ERROR): self.leave("session_expired")`},
}

// Each mutant of the Python daemon is caught, by its rule.
func TestDaemonMutants(t *testing.T) {
	t.Parallel()
	caught(t, "minisshd.py", daemonMutants,
		func(ctx context.Context, file string, o Options) (*Report, error) {
			o.Program = pythonDaemon(t, file)
			return Daemon(ctx, o)
		})
}

// Each mutant of the Python client is caught, by its rule.
func TestClientMutants(t *testing.T) {
	t.Parallel()
	caught(t, "minissh.py", clientMutants,
		func(ctx context.Context, file string, o Options) (*Report, error) {
			o.Program = []string{needsPython(t), file, "{address}", "{command}"}
			if strings.HasPrefix(o.Only, "RE") {
				o.Program = []string{needsPython(t), file, "--resume", "30", "{address}",
					"{command}"}
			}
			return Client(ctx, o)
		})
}

// caught grades each mutant by its rule alone, up to the first probe that fails.
func caught(t *testing.T, name string, mutants []mutant,
	grade func(context.Context, string, Options) (*Report, error)) {
	if testing.Short() {
		mutants = mutants[:3]
	}
	if len(mutants) < 20 && !testing.Short() {
		t.Errorf("only %d mutants", len(mutants))
	}
	for _, m := range mutants {
		t.Run(m.rule+" "+m.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), name)
			changed(t, filepath.Join("../../../scripts", name), file, m.old, m.new)
			isCaught(t, m.rule, func(ctx context.Context, tell func(Result)) {
				grade(ctx, file, Options{User: own(t), Only: m.rule, Patience: DefaultPatience,
					Tell: tell})
			})
		})
	}
}

// changed writes a program with one place changed.
func changed(t *testing.T, from, to, place, by string) {
	t.Helper()
	source, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), place); n != 1 {
		t.Fatalf("%q is there %d times", place, n)
	}
	text := strings.Replace(string(source), place, by, 1)
	if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// isCaught wants the first failure that grade tells of to be the rule's. It ends grade there.
func isCaught(t *testing.T, rule string, grade func(context.Context, func(Result))) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var found *Result
	grade(ctx, func(r Result) { // one at a time
		if r.Outcome == Fails && found == nil {
			found = &r
			cancel()
		}
	})
	switch {
	case found == nil:
		t.Error("no probe has caught it")
	case found.Rule != rule:
		t.Errorf("%s has caught it, %s: want %s, got %s", found.Rule, found.Probe, found.Want.En,
			found.Got.En)
	default:
		t.Logf("%s: want %s, got %s", found.Probe, found.Want.En, found.Got.En)
	}
}
