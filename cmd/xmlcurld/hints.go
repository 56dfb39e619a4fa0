package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/localpg"
)

// printHints says what to try next. Each line can be pasted into a shell as it stands.
func (s *server) printHints(w io.Writer) {
	xml, admin := s.scheme()+"://"+reachable(s.xml.Address())+"/xml", "http://"+reachable(s.admin.Address())
	login := ""
	if user, _, given := strings.Cut(s.config.Credentials.Reveal(), ":"); given {
		login = "-u " + quote(user) + " " // curl asks for the password
	}
	fmt.Fprintf(w, "xmlcurld %s answers FreeSWITCH at %s\n", buildVersion, xml)
	fmt.Fprintf(w, "  a document   curl %s-d 'hostname=%s&section=configuration&tag_name=configuration&key_name=name&key_value=acl.conf' %s\n",
		login, hostname(), xml)
	if s.config.Demo {
		fmt.Fprintf(w, "  a call       curl %s-d 'hostname=%s&section=dialplan&tag_name=&key_name=&key_value=&Hunt-Context=public&Hunt-Destination-Number=%%2B27123456789' %s\n",
			login, hostname(), xml)
	}
	fmt.Fprintf(w, "  FreeSWITCH   BOOTSTRAP_URL=%s freeswitch -conf %s\n", xml, bootstrapFolder())
	fmt.Fprintf(w, "  the rows     %s\n", s.database.psql())
	fmt.Fprintf(w, "  its health   curl %s/readyz %s/metrics\n", admin, admin)
}

// scheme is what FreeSWITCH's address of this server begins with.
func (s *server) scheme() string {
	if s.tls != nil {
		return "https"
	}
	return "http"
}

// reachable turns an address to listen on into one to connect to.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// bootstrapFolder is an absolute path when the program runs in its sources.
func bootstrapFolder() string {
	const folder = "freeswitch-bootstrap/conf"
	absolute, err := filepath.Abs(folder)
	if err == nil {
		_, err = os.Stat(absolute)
	}
	if err != nil {
		return folder
	}
	return absolute
}

// psql is the command that opens the database, without its password: psql asks for that.
func (d database) psql() string {
	if d.private != nil {
		return fmt.Sprintf("psql -h %s -U %s %s", quote(d.private.SocketDir()), localpg.Superuser, localpg.Superuser)
	}
	c, err := pgx.ParseConfig(d.url)
	if err != nil {
		return "psql"
	}
	return fmt.Sprintf("psql -h %s -p %d -U %s %s", quote(c.Host), c.Port, quote(c.User), quote(c.Database))
}

// quote makes one word of a shell's line.
func quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
