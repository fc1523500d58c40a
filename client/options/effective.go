package options

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteEffective writes the options in the form of `ssh -G`: one "key value" a line, keys in lower
// case. It holds the keys that minissh obeys, and the files that it would read.
func (o *Options) WriteEffective(w io.Writer) error {
	out := bufio.NewWriter(w)
	line := func(key string, values ...any) {
		fmt.Fprintf(out, "%s", key)
		for _, v := range values {
			fmt.Fprintf(out, " %v", v)
		}
		fmt.Fprintln(out)
	}
	host := o.HostName
	if o.Socket != "" {
		host = unixPrefix + o.Socket
	}
	line("host", o.Alias)
	line("user", o.User)
	line("hostname", host)
	line("port", o.Port)
	line("addressfamily", o.AddressFamily)
	line("connectionattempts", max(o.ConnectionAttempts, 1))
	line("checkhostip", yesOrNo(o.CheckHostIP))
	line("clearallforwardings", yesOrNo(o.clearForwardings))
	line("exitonforwardfailure", yesOrNo(o.ExitOnForwardFailure))
	line("forwardagent", o.forwardAgent)
	line("gatewayports", yesOrNo(o.GatewayPorts))
	line("streamlocalbindunlink", yesOrNo(o.StreamLocalBindUnlink))
	line("streamlocalbindmask", fmt.Sprintf("0%o", o.StreamLocalBindMask))
	o.canonical.write(line)
	for _, f := range o.LocalForwards {
		line("localforward", f.words())
	}
	for _, f := range o.DynamicForwards {
		line("dynamicforward", f.words())
	}
	for _, f := range o.RemoteForwards {
		line("remoteforward", f.words())
	}
	line("pubkeyauthentication", trueOrFalse(yesOrNo(!o.NoPubkey)))
	line("nohostauthenticationforlocalhost", yesOrNo(o.NoHostAuthenticationForLocalhost))
	line("addkeystoagent", o.AddKeys.words())
	line("permitlocalcommand", yesOrNo(o.permitLocalCommand))
	line("controlmaster", trueOrFalse(cmp.Or(o.controlMaster, "no")))
	line("visualhostkey", yesOrNo(o.VisualHostKey))
	line("fingerprinthash", strings.ToUpper(o.FingerprintHash))
	line("syslogfacility", o.SyslogFacility)
	for _, given := range [][2]string{{"tag", o.Tag}, {"localcommand", o.localAsGiven},
		{"controlpath", o.ControlPath},
		{"knownhostscommand", o.knownHostsAsGiven}, {"bindaddress", o.BindAddress},
		{"bindinterface", o.BindInterface}, {"revokedhostkeys", o.RevokedHostKeys},
		{"hostkeyalgorithms", o.HostKeyAlgorithms},
		{"pubkeyacceptedalgorithms", o.PubkeyAlgorithms}} {
		if given[1] != "" {
			line(given[0], given[1])
		}
	}
	if o.RequiredRSASize > 0 {
		line("requiredrsasize", o.RequiredRSASize)
	}
	line("batchmode", yesOrNo(o.BatchMode))
	line("hashknownhosts", yesOrNo(o.HashKnownHosts))
	line("identitiesonly", yesOrNo(o.IdentitiesOnly))
	line("requesttty", trueOrFalse(string(o.RequestTTY)))
	line("sessiontype", o.SessionType)
	line("stdinnull", yesOrNo(o.StdinNull))
	line("forkafterauthentication", yesOrNo(o.ForkAfterAuthentication))
	line("stricthostkeychecking", trueOrFalse(string(o.StrictHostKeyChecking)))
	line("serveralivecountmax", o.ServerAliveCountMax)
	line("serveraliveinterval", int(o.ServerAliveInterval/time.Second))
	line("loglevel", o.LogLevel)
	if o.HostKeyAlias != "" {
		line("hostkeyalias", o.HostKeyAlias)
	}
	if o.IdentityAgent != "" {
		line("identityagent", o.IdentityAgent)
	}
	for _, file := range append(append([]string(nil), o.IdentityFiles...),
		o.DefaultIdentityFiles...) {
		line("identityfile", file)
	}
	for _, file := range o.CertificateFiles {
		line("certificatefile", file)
	}
	list := func(key string, files []string) {
		if len(files) == 0 {
			line(key, "none")
			return
		}
		values := make([]any, len(files))
		for i := range files {
			values[i] = files[i]
		}
		line(key, values...)
	}
	list("globalknownhostsfile", o.GlobalKnownHostsFiles)
	list("userknownhostsfile", o.UserKnownHostsFiles)
	switch {
	case len(o.Jumps) > 0:
		var hops []string
		for i := range o.Jumps {
			hops = append(hops, o.Jumps[i].String())
		}
		line("proxyjump", strings.Join(hops, ","))
	case o.proxyAsGiven != "":
		line("proxycommand", o.proxyAsGiven)
	}
	if o.RemoteCommand != "" {
		line("remotecommand", o.RemoteCommand)
	}
	for _, name := range o.sendPatterns() {
		line("sendenv", name)
	}
	for _, pair := range o.SetEnv {
		line("setenv", pair)
	}
	if o.ConnectTimeout > 0 {
		line("connecttimeout", int(o.ConnectTimeout/time.Second))
	} else {
		line("connecttimeout", "none")
	}
	switch {
	case o.EscapeChar < 0:
		line("escapechar", "none")
	case o.EscapeChar < ' ':
		line("escapechar", `\^`+string(rune(o.EscapeChar|64)))
	default:
		line("escapechar", string([]byte{byte(o.EscapeChar)}))
	}
	return out.Flush()
}

func yesOrNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// trueOrFalse is how ssh prints yes and no for options that have further values.
func trueOrFalse(s string) string {
	switch s {
	case "yes":
		return "true"
	case "no":
		return "false"
	}
	return s
}
