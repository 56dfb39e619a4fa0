package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5/pgxpool"

	"xmlcurld/db/schema"
	"xmlcurld/internal/endpoint"
	"xmlcurld/xmlcurl"
)

// config is what the settings come to.
type config struct {
	DatabaseURL        Secret // empty: the private server
	DataDir            string
	TraceSocket        string // empty: below DataDir
	Listen             string
	AdminListen        string
	Credentials        Secret // "user:password", empty: there are none for all nodes
	RequireCredentials bool
	Networks           []netip.Prefix
	TLSCert            string // file names
	TLSKey             string
	TLSClientCA        string
	SecretsDir         string
	SecretsEnv         string
	Deadline           time.Duration
	StaleLimit         time.Duration // 0: none
	HistoryRetention   time.Duration // 0: for ever
	BodyLimit          int64         // bytes
	AnswerLimit        int64         // bytes
	MaxInFlight        int
	MaxIncomplete      int // connections
	Migrate            bool
	Demo               bool
	DemoRTPPort        schema.Ports
	LogLevel           slog.Level
	LogFormat          string
}

// setting is one thing that can be set: by flag --key-name, environment XMLCURLD_KEY_NAME and file key key_name.
type setting struct {
	key, preset, about string
	secret             bool
	isSwitch           bool // the flag may stand alone: --demo
	noFlag             bool // it would show a secret
	parse              func(c *config, text string) error
}

// settings lists all of them. An error of parse says what would be right.
func settings() []setting {
	return []setting{
		{key: "database_url", secret: true,
			about: "connection string of the PostgreSQL database, several hosts if it has standbys; none: a private server is started",
			parse: func(c *config, text string) error { return parseDatabaseURL(&c.DatabaseURL, text) }},
		{key: "data_dir", preset: defaultDataDir(),
			about: "folder that keeps the local rows, and the private server's data",
			parse: func(c *config, text string) (err error) { c.DataDir, err = filepath.Abs(text); return err }},
		{key: "trace_socket",
			about: "Unix socket at which xmlcurld trace, run by the server's own user, asks the running server; none: trace.sock in data_dir",
			parse: func(c *config, text string) (err error) { c.TraceSocket, err = filepath.Abs(text); return err }},
		{key: "listen", preset: "127.0.0.1:8080",
			about: "address that answers FreeSWITCH, at /xml",
			parse: func(c *config, text string) error { c.Listen = text; return checkAddress(text) }},
		{key: "admin_listen", preset: "127.0.0.1:9180",
			about: "address of /metrics, /healthz and /readyz",
			parse: func(c *config, text string) error { c.AdminListen = text; return checkAddress(text) }},
		{key: "credentials", secret: true, noFlag: true,
			about: "user:password that any FreeSWITCH may send; with it, all have to send this or their node's own",
			parse: func(c *config, text string) error { return parseCredentials(&c.Credentials, text) }},
		{key: "require_credentials", preset: "false", isSwitch: true,
			about: "FreeSWITCH has to send the credentials of its node (table node_credential), or those in credentials",
			parse: func(c *config, text string) error { return parseSwitch(&c.RequireCredentials, text) }},
		{key: "allow_networks",
			about: "networks and addresses whose connections to listen are taken, separated by commas, loopback only if it is among them; none: all",
			parse: func(c *config, text string) error { return parseNetworks(&c.Networks, text) }},
		{key: "tls_cert",
			about: "PEM file of the certificate that listen shows, with those between it and its authority; none: plain HTTP",
			parse: func(c *config, text string) error { c.TLSCert = text; return nil }},
		{key: "tls_key",
			about: "PEM file of its key",
			parse: func(c *config, text string) error { c.TLSKey = text; return nil }},
		{key: "tls_client_ca",
			about: "PEM file of the authorities one of which FreeSWITCH's certificate has to come from; none: it needs none",
			parse: func(c *config, text string) error { c.TLSClientCA = text; return nil }},
		{key: "deadline", preset: xmlcurl.DefaultDeadline.String(),
			about: "time for one answer; keep it below the binding's timeout",
			parse: func(c *config, text string) error { return parseTime(&c.Deadline, text, 1, "not a time such as 800ms") }},
		{key: "stale_limit", preset: "0s",
			about: "age up to which the local rows may answer when PostgreSQL does not; 0s: any",
			parse: func(c *config, text string) error {
				return parseTime(&c.StaleLimit, text, 0, "not a time such as 24h, or 0s for no limit")
			}},
		{key: "body_limit", preset: strconv.Itoa(xmlcurl.DefaultBodyLimit),
			about: "bytes that a request may have",
			parse: func(c *config, text string) error { return parseBytes(&c.BodyLimit, text) }},
		{key: "answer_limit", preset: strconv.Itoa(xmlcurl.DefaultAnswerLimit),
			about: "bytes that an answer may have: the binding's response-max-bytes",
			parse: func(c *config, text string) error { return parseBytes(&c.AnswerLimit, text) }},
		{key: "secrets_dir",
			about: "folder below which rows may refer to files that hold passwords; none: they may not",
			parse: func(c *config, text string) error { return parseFolder(&c.SecretsDir, text) }},
		{key: "secrets_env_prefix",
			about: "beginning of the variables of the environment in which rows may refer to passwords, as SECRET_; none: they may not",
			parse: func(c *config, text string) error { return parseEnvPrefix(&c.SecretsEnv, text) }},
		{key: "max_in_flight", preset: strconv.Itoa(xmlcurl.DefaultMaxInFlight),
			about: "requests answered at a time, eight times as many in a burst; the rest gets a 503 at once",
			parse: func(c *config, text string) error { return parseCount(&c.MaxInFlight, text) }},
		{key: "max_connections", preset: strconv.Itoa(endpoint.DefaultMaxIncomplete),
			about: "connections that may be open without a whole request; the oldest of more are closed",
			parse: func(c *config, text string) error { return parseCount(&c.MaxIncomplete, text) }},
		{key: "history_retention", preset: "2160h",
			about: "how long edits are remembered, by whole months; 0s: for ever",
			parse: func(c *config, text string) error {
				return parseTime(&c.HistoryRetention, text, 0, "not a time such as 2160h, or 0s for ever")
			}},
		{key: "migrate", preset: "false", isSwitch: true,
			about: "serve migrates the database first (the private one always)",
			parse: func(c *config, text string) error { return parseSwitch(&c.Migrate, text) }},
		{key: "demo", preset: "false", isSwitch: true,
			about: "serve loads the demo world if the database is empty",
			parse: func(c *config, text string) error { return parseSwitch(&c.Demo, text) }},
		{key: "demo_rtp_port",
			about: "RTP ports of the demo world, as 16384-16394",
			parse: func(c *config, text string) error { return parsePorts(&c.DemoRTPPort, text) }},
		{key: "log_level", preset: "info",
			about: "debug, info, warn or error",
			parse: func(c *config, text string) error { return parseLevel(&c.LogLevel, text) }},
		{key: "log_format", preset: "text",
			about: "text or json",
			parse: func(c *config, text string) error { return parseFormat(&c.LogFormat, text) }},
	}
}

func (s setting) flag() string     { return strings.ReplaceAll(s.key, "_", "-") }
func (s setting) variable() string { return environmentPrefix + strings.ToUpper(s.key) }

// fault says what is wrong with the value that was given.
func (s setting) fault(value, reason string) string {
	if s.secret {
		value = hidden
	}
	return fmt.Sprintf("%s = %q: %s", s.key, value, reason)
}

// traceSocket is where the server can be traced, "" when it cannot.
func (c *config) traceSocket() string {
	if c.TraceSocket != "" || c.DataDir == "" {
		return c.TraceSocket
	}
	return filepath.Join(c.DataDir, "trace.sock")
}

func defaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/xmlcurld"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local/state/xmlcurld")
}

// The driver's own complaint is not repeated: it may quote part of the password.
func parseDatabaseURL(to *Secret, text string) error {
	if _, err := pgxpool.ParseConfig(text); err != nil {
		return errors.New("not a connection string such as postgres://user:password@host:5432/database " +
			"(in a URL, percent-encode what is special in the password)")
	}
	*to = NewSecret(text)
	return nil
}

func parseCredentials(to *Secret, text string) error {
	user, password, _ := strings.Cut(text, ":")
	if user == "" || password == "" || strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("not user:password")
	}
	*to = NewSecret(text)
	return nil
}

func checkAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("not host:port")
	}
	return nil
}

// isLoopback is false for a name other than localhost: where it leads is not known before the name is looked up.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// parseTime takes no time below least. The error is fault.
func parseTime(to *time.Duration, text string, least time.Duration, fault string) (err error) {
	if *to, err = time.ParseDuration(text); err != nil || *to < least {
		return errors.New(fault)
	}
	return nil
}

func parseBytes(to *int64, text string) (err error) {
	if *to, err = strconv.ParseInt(text, 10, 64); err != nil || *to <= 0 || *to == math.MaxInt64 {
		return errors.New("not a number of bytes above 0")
	}
	return nil
}

func parseCount(to *int, text string) error {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n <= 0 {
		return errors.New("not a number above 0")
	}
	*to = int(n)
	return nil
}

func parseSwitch(to *bool, text string) (err error) {
	if *to, err = strconv.ParseBool(text); err != nil {
		return errors.New("not true or false")
	}
	return nil
}

func parsePorts(to *schema.Ports, text string) error {
	first, last, _ := strings.Cut(text, "-")
	low, lowErr := strconv.ParseUint(first, 10, 16)
	high, highErr := strconv.ParseUint(last, 10, 16)
	if lowErr != nil || highErr != nil || low < 1024 || high <= low {
		return errors.New("not two ports from 1024 to 65535 as in 16384-16394")
	}
	*to = schema.Ports{First: int32(low), Last: int32(high)}
	return nil
}

func parseFolder(to *string, text string) error {
	info, err := os.Stat(text)
	if err != nil || !info.IsDir() {
		return errors.New("not a folder")
	}
	*to, err = filepath.Abs(text)
	return err
}

var envPrefix = regexp.MustCompile(`^[A-Za-z]\w*_$`)

// parseEnvPrefix sees to it that rows do not reach the settings of this program, with the password of its database.
func parseEnvPrefix(to *string, text string) error {
	switch {
	case !envPrefix.MatchString(text):
		return errors.New("not letters, digits and _ that end in _, such as SECRET_")
	case strings.HasPrefix(text, environmentPrefix):
		return errors.New("the settings themselves begin so")
	}
	*to = text
	return nil
}

func parseLevel(to *slog.Level, text string) error {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, ok := levels[text]
	if !ok {
		return errors.New("not debug, info, warn or error")
	}
	*to = level
	return nil
}

func parseFormat(to *string, text string) error {
	if text != "text" && text != "json" {
		return errors.New("not text or json")
	}
	*to = text
	return nil
}
