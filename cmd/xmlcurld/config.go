package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

const (
	environmentPrefix = "XMLCURLD_"
	configVariable    = environmentPrefix + "CONFIG" // the settings file, as --config
	fileSuffix        = "_FILE"                      // XMLCURLD_CREDENTIALS_FILE holds the name of a file that holds it
)

// faults are everything that is wrong with the settings.
type faults []string

func (f faults) Error() string { return "wrong settings:\n  " + strings.Join(f, "\n  ") }

func addSettingFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "YAML file of settings")
	for _, s := range settings() {
		switch {
		case s.noFlag:
		case s.isSwitch:
			flags.Bool(s.flag(), false, s.about)
		default:
			flags.String(s.flag(), s.preset, s.about)
		}
	}
}

// loadConfig puts the settings together: presets, then file, environment and flags. It names every fault at once.
// An empty value counts as not given, so that a compose file may pass on what is not set.
func loadConfig(flags *pflag.FlagSet, environ []string, verb string) (config, error) {
	l := loader{viper: viper.New()}
	environment := ownEnvironment(environ)
	l.readFile(flags, environment)
	l.readEnvironment(environment)
	var c config
	for _, s := range settings() {
		l.readFlag(flags, s)
		l.apply(&c, s)
	}
	l.judge(c, verb)
	if len(l.faults) > 0 {
		return config{}, l.faults
	}
	return c, nil
}

type loader struct {
	viper  *viper.Viper
	faults faults
}

func (l *loader) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// ownEnvironment returns the variables that are meant for this program.
func ownEnvironment(environ []string) map[string]string {
	own := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, environmentPrefix) && value != "" {
			own[name] = value
		}
	}
	return own
}

// readFile reads the settings file, if one is named. The value of a key that nobody knows is not repeated: it may be a
// secret under a misspelt name.
func (l *loader) readFile(flags *pflag.FlagSet, environment map[string]string) {
	name := environment[configVariable]
	delete(environment, configVariable)
	if f := flags.Lookup("config"); f.Changed {
		name = f.Value.String()
	}
	if name == "" {
		return
	}
	content, err := os.ReadFile(name)
	if err != nil {
		l.fault("config = %q: cannot be read: %v", name, err)
		return
	}
	l.viper.SetConfigType("yaml")
	if err := l.viper.ReadConfig(bytes.NewReader(content)); err != nil {
		l.fault("config = %q: not YAML of the form key: value, each key once", name)
		return
	}
	for _, key := range slices.Sorted(slices.Values(l.viper.AllKeys())) {
		if !slices.ContainsFunc(settings(), func(s setting) bool { return s.key == key }) {
			l.fault("%s: no such setting (in %s)", key, name)
		}
	}
}

func (l *loader) readEnvironment(environment map[string]string) {
	given := map[string]any{}
	for _, s := range settings() {
		value, direct := environment[s.variable()]
		file, byFile := environment[s.variable()+fileSuffix]
		delete(environment, s.variable())
		if s.secret {
			delete(environment, s.variable()+fileSuffix)
		}
		switch {
		case s.secret && direct && byFile:
			l.fault("%s and %s%s are both set: keep one", s.variable(), s.variable(), fileSuffix)
		case s.secret && byFile:
			content, err := os.ReadFile(file)
			if err != nil {
				l.fault("%s%s = %q: cannot be read: %v", s.variable(), fileSuffix, file, err)
			}
			given[s.key] = strings.TrimRight(string(content), "\r\n")
		case direct:
			given[s.key] = value
		}
	}
	_ = l.viper.MergeConfigMap(given) // it never fails
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		l.fault("%s: no such setting (in the environment)", name)
	}
}

// readFlag takes what the command line says. A password there would be seen by everybody who can list processes.
func (l *loader) readFlag(flags *pflag.FlagSet, s setting) {
	flag := flags.Lookup(s.flag())
	if flag == nil {
		return
	}
	if s.secret && showsPassword(flag.Value.String()) {
		l.fault("%s = %q: others can see a password on the command line: set %s or %s%s instead",
			s.key, hidden, s.variable(), s.variable(), fileSuffix)
	}
	_ = l.viper.BindPFlag(s.key, flag) // it fails only without a flag
}

var passwordKey = regexp.MustCompile(`(?i)password\s*=`)

// showsPassword reports whether a connection string has a password in it.
func showsPassword(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return passwordKey.MatchString(text)
	}
	_, given := u.User.Password()
	return given || passwordKey.MatchString(u.RawQuery)
}

// apply parses what came out for one setting.
func (l *loader) apply(c *config, s setting) {
	text := s.preset
	switch given := l.viper.Get(s.key).(type) {
	case nil:
	case string, bool, int, int64, float64:
		text = cmp.Or(fmt.Sprint(given), s.preset)
	default:
		l.faults = append(l.faults, s.fault(fmt.Sprint(given), "not one value"))
		return
	}
	if text == "" {
		return
	}
	if err := s.parse(c, text); err != nil {
		l.faults = append(l.faults, s.fault(text, err.Error()))
	}
}

// judge looks at what only shows in several settings together.
func (l *loader) judge(c config, verb string) {
	if c.DatabaseURL.Reveal() == "" && c.DataDir == "" {
		l.fault(`data_dir = "": needed for the private server, since there is neither a database_url nor a home folder`)
	}
	if verb != "serve" {
		return
	}
	if checkAddress(c.Listen) == nil && !isLoopback(c.Listen) && !c.isLocked() {
		l.fault("listen = %q: without credentials, require_credentials or tls_client_ca only a loopback address such as "+
			"127.0.0.1:8080 is served", c.Listen)
	}
	l.judgeTLS(c)
	if c.Listen == c.AdminListen && !strings.HasSuffix(c.Listen, ":0") {
		l.fault("admin_listen = %q: the same as listen", c.AdminListen)
	}
}

// judgeTLS looks at whether the three files are given that go together.
func (l *loader) judgeTLS(c config) {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		l.fault("tls_cert = %q, tls_key = %q: give both or neither", c.TLSCert, c.TLSKey)
	}
	if c.TLSClientCA != "" && c.TLSCert == "" {
		l.fault("tls_client_ca = %q: without tls_cert and tls_key no client shows a certificate", c.TLSClientCA)
	}
}

// isLocked reports whether somebody who is not the operator's gets no answer.
func (c config) isLocked() bool {
	return c.Credentials.Reveal() != "" || c.RequireCredentials || c.TLSClientCA != ""
}
