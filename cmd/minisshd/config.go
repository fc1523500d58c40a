package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"minissh/daemon/access"
	"minissh/daemon/audit"
	"minissh/daemon/process"
	"minissh/protocol"
)

// settings is what flags and the account say, before anything is opened.
type settings struct {
	account     process.Account // the daemon's own
	all         bool            // it serves every account
	hostKeyFile string
	certificate string   // a file with the host key's; "": none
	files       []string // with %h and %u if all
	policy      access.Policy
	trust       access.Trust
	exempt      []netip.Prefix
	socketMode  os.FileMode
	shares      access.Shares
	permits     access.Permits
	hold        time.Duration // below 0: none
	held        int64         // bytes
	audit       audit.Options // Path "": no audit log
	keysCommand *access.KeysCommand
	banner      string // a file; "": none
}

func readSettings(c *cli.Context) (*settings, error) {
	account, err := process.CurrentAccount()
	if err != nil {
		return nil, fmt.Errorf("who am I? %w", err)
	}
	s := &settings{account: account, all: os.Geteuid() == 0, hostKeyFile: c.String("host-key"),
		certificate: c.String("host-certificate"),
		files:       c.StringSlice("authorized-keys")}
	config := filepath.Join(account.Home, ".config", "minissh")
	if s.hostKeyFile == "" {
		s.hostKeyFile = filepath.Join(config, "host_key")
	}
	if len(s.files) == 0 {
		s.files = slices.Clone(access.DefaultAccountFiles)
	}
	for i, file := range s.files {
		if s.files[i], err = absolute(file); err != nil {
			return nil, err
		}
		own, err := access.Expand(s.files[i], account, true)
		if err != nil {
			return nil, err
		}
		if !s.all {
			s.files[i] = own
		}
	}
	s.policy = access.Policy{Allow: words(c.StringSlice("allow-users")),
		Deny:        words(c.StringSlice("deny-users")),
		AllowGroups: words(c.StringSlice("allow-groups")),
		DenyGroups:  words(c.StringSlice("deny-groups")),
		PermitRoot:  c.String("permit-root")}
	if s.policy.PAM, err = s.asksPAM(c); err != nil {
		return nil, err
	}
	if err := s.policy.Check(); err != nil {
		return nil, err
	}
	if s.trust, err = readTrust(c); err != nil {
		return nil, err
	}
	for _, name := range []string{"allow-users", "deny-users", "allow-groups", "deny-groups",
		"permit-root", "pair-by-users", "chroot-directory"} {
		if c.IsSet(name) && !s.all {
			return nil, fmt.Errorf("--%s is for a daemon that runs as root: this one serves %s "+
				"alone", name, account.Name)
		}
	}
	for _, text := range words(c.StringSlice("penalty-exempt")) {
		network, err := parseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("--penalty-exempt %s is not a network or an address",
				protocol.Quote(text))
		}
		s.exempt = append(s.exempt, network)
	}
	if s.socketMode, err = parseMode(c.String("unix-mode")); err != nil {
		return nil, err
	}
	if err := checkLimits(c); err != nil {
		return nil, err
	}
	if how := c.String("pair-by-users"); how != "yes" && how != "no" {
		return nil, fmt.Errorf("--pair-by-users is yes or no, not %s", protocol.Quote(how))
	}
	if s.policy.PAM && !c.IsSet("print-motd") {
		c.Set("print-motd", "no")
	}
	if s.permits, err = readPermits(c); err != nil {
		return nil, err
	}
	if s.shares, err = readShares(c); err != nil {
		return nil, err
	}
	if s.hold, err = readHold(c); err != nil {
		return nil, err
	}
	if s.keysCommand, err = s.readKeysCommand(c); err != nil {
		return nil, err
	}
	if s.banner = c.String("banner"); s.banner == "none" {
		s.banner = ""
	} else if s.banner != "" {
		if s.banner, err = filepath.Abs(s.banner); err != nil {
			return nil, err
		}
	}
	if s.audit, err = readAudit(c); err != nil {
		return nil, err
	}
	if s.held, err = parseSize(c.String("hold-memory")); err != nil || s.held < leastHeld {
		return nil, fmt.Errorf("--hold-memory is a size of at least 1M, like 256M or 1G, not %s",
			protocol.Quote(c.String("hold-memory")))
	}
	return s, nil
}

// cgroups sets up where the other accounts' commands are counted, and where jobs have cgroups of
// their own. supervised says that other daemons and a supervisor are there, too.
func (s *settings) cgroups(c *cli.Context, supervised bool, log *slog.Logger) error {
	dir, most := c.String("cgroup"), c.Int("max-tasks-per-user")
	switch {
	case !s.all && (c.IsSet("cgroup") || c.IsSet("max-tasks-per-user")):
		return fmt.Errorf("--cgroup and --max-tasks-per-user are for a daemon that runs as root: "+
			"this one serves %s alone", s.account.Name)
	case most < 0 || c.IsSet("max-tasks-per-user") && most < 16:
		return fmt.Errorf("--max-tasks-per-user is at least 16, not %d", most)
	case dir == "none":
		return nil
	case !s.all:
		jobsBelow("", log)
		return nil
	case dir == "auto":
		dir = ""
	case !filepath.IsAbs(dir):
		return fmt.Errorf("--cgroup is auto, none or a directory like /sys/fs/cgroup/minissh, "+
			"not %s", protocol.Quote(dir))
	}
	used, err := process.UseCgroups(dir, most, supervised)
	switch {
	// nobody asked for it, and not to start would be worse: nobody could reach the machine
	case err != nil && dir == "" && !c.IsSet("max-tasks-per-user"):
		log.Warn("Commands are not counted by account: the cgroup that is delegated cannot be "+
			"used", "error", err.Error())
	case err != nil:
		return fmt.Errorf("--cgroup: %w", err)
	case used != "":
		log.Info("Each account's commands are counted in a cgroup of their own", "below", used)
	case c.IsSet("max-tasks-per-user"):
		return errors.New("--max-tasks-per-user needs a cgroup: none is delegated to this daemon " +
			"(Delegate=pids in its unit, or --cgroup DIRECTORY)")
	}
	jobsBelow(used, log)
	return nil
}

// jobsBelow gives jobs cgroups of their own below dir, or else where one is delegated.
func jobsBelow(dir string, log *slog.Logger) {
	if used := cmp.Or(process.UseJobCgroups(dir), process.UseJobCgroups("")); used != "" {
		log.Info("Each job has a cgroup of its own", "below", used)
	}
}

// checkLimits refuses limits and times that would mean nothing. To the daemon's options 0 is "as
// usual", which is not what somebody who types it wants.
func checkLimits(c *cli.Context) error {
	for _, name := range []string{"login-grace", "stop-grace", "shutdown-grace"} {
		if c.Duration(name) <= 0 {
			return fmt.Errorf("--%s is a time above 0, like 5s or 200ms, not %v", name,
				c.Duration(name))
		}
	}
	if alive := c.Duration("alive-interval"); alive != 0 && (alive < time.Second ||
		alive > time.Hour) {
		return fmt.Errorf("--alive-interval is a time from 1s to 1h, or 0 for 15s, not %v", alive)
	}
	for name, least := range map[string]int{"max-startups": 1, "max-per-source": 1,
		"max-sessions": 1, "max-channels": protocol.MinChannels, "alive-count-max": 1} {
		if c.Int(name) < least {
			return fmt.Errorf("--%s is at least %d, not %d", name, least, c.Int(name))
		}
	}
	return nil
}

// refusalTime evens out how long a refusal takes if accounts are looked up; 0 is for a daemon that
// knows one account only.
func (s *settings) refusalTime() time.Duration {
	if s.all {
		return 25 * time.Millisecond
	}
	return 0
}

// access is who may log in.
func (s *settings) access(book *access.Book, log *slog.Logger) access.Access {
	if !s.all {
		return access.FileAccessBy(book, log)
	}
	return access.AccountsBy(book, log)
}

// terms are what these settings say for a login.
func (s *settings) terms(c *cli.Context) *access.Terms {
	return &access.Terms{Policy: s.policy, Files: s.files, Trust: s.trust,
		Keys: s.keysCommand, Banner: s.banner,
		Hold: s.hold, IdleTimeout: c.Duration("idle-timeout"), MaxChannels: c.Int("max-channels"),
		Most: access.Most{Sessions: c.Int("max-sessions-per-user"),
			Commands: c.Int("max-commands-per-user"), KeySessions: c.Int("max-sessions-per-key"),
			KeyCommands: c.Int("max-commands-per-key")},
		AliveInterval: cmp.Or(c.Duration("alive-interval"), 15*time.Second),
		AliveMost:     c.Int("alive-count-max"),
		Permits:       s.permits}
}

// absolute is a file's name, with %h and the like, made absolute.
func absolute(file string) (string, error) {
	if filepath.IsAbs(file) || strings.HasPrefix(file, "%h") {
		return file, nil
	}
	dir, err := os.Getwd()
	return filepath.Join(strings.ReplaceAll(dir, "%", "%%"), file), err
}

// listBreaks are what is between the parts of a list.
const listBreaks = " ,\t"

// words splits at blanks and commas, so that a list may be one argument.
func words(values []string) (list []string) {
	for _, value := range values {
		list = append(list,
			strings.FieldsFunc(value,
				func(r rune) bool { return strings.ContainsRune(listBreaks, r) })...)
	}
	return slices.Clip(list)
}

func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		network, err := netip.ParsePrefix(text)
		return network.Masked(), err
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return addr.Unmap().WithZone("").Prefix(addr.Unmap().BitLen())
}

func parseMode(text string) (os.FileMode, error) {
	var mode uint32
	if _, err := fmt.Sscanf(text, "%o", &mode); err != nil || mode&^0o777 != 0 ||
		mode&0o600 != 0o600 {
		return 0, fmt.Errorf("--unix-mode is permissions in octal, like 0600 or 0666, not %s",
			protocol.Quote(text))
	}
	return os.FileMode(mode), nil
}

// readHold is how long sessions are held. The daemon grants whole seconds.
func readHold(c *cli.Context) (time.Duration, error) {
	hold := c.Duration("hold")
	switch {
	case hold == 0:
		return -1, nil
	case hold < time.Second:
		return 0, fmt.Errorf("--hold is at least 1s, like 10m or 24h, not %v; with 0 a session "+
			"ends with its connection", hold)
	}
	return hold, nil
}

// leastHeld is room for what one session keeps of a command, and some more.
const leastHeld = 1 << 20

// parseSize reads a number of bytes, or of KiB, MiB or GiB: 4096, 64K, 256M, 1G.
func parseSize(text string) (int64, error) {
	digits := strings.TrimRight(text, "KMG")
	n, err := strconv.ParseUint(digits, 10, 32)
	shift := map[string]int{"": 0, "K": 10, "M": 20, "G": 30}
	unit, ok := shift[text[len(digits):]]
	if err != nil || !ok {
		return 0, strconv.ErrSyntax
	}
	return int64(n) << unit, nil
}

// readShares checks the values of shareFlags. The daemon chooses what is not set.
func readShares(c *cli.Context) (access.Shares, error) {
	shares := access.Shares{
		AllCommands: c.Int("max-commands"), Reserve: c.Int("reserve"), // others: terms
	}
	for _, name := range []string{"max-sessions-per-user", "max-commands",
		"max-commands-per-user", "max-sessions-per-key", "max-commands-per-key"} {
		if c.IsSet(name) && c.Int(name) < 1 {
			return shares, fmt.Errorf("--%s is at least 1, not %d", name, c.Int(name))
		}
	}
	if c.IsSet("idle-timeout") && c.Duration("idle-timeout") <= 0 {
		return shares, fmt.Errorf("--idle-timeout is a time above 0, like 30m or 12h, not %v; "+
			"without it no session is too idle", c.Duration("idle-timeout"))
	}
	if !c.IsSet("reserve") {
		return shares, nil
	}
	for _, name := range []string{"max-sessions", "max-startups", "max-commands"} {
		if shares.Reserve < 0 || shares.Reserve >= c.Int(name) {
			return shares, fmt.Errorf("--reserve is 0 or more, and less than --%s, which is %d; "+
				"not %d", name, c.Int(name), shares.Reserve)
		}
	}
	if shares.Reserve == 0 {
		shares.Reserve = -1 // none, which means something else to the daemon than not set
	}
	return shares, nil
}
