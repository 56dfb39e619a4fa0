//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"xmlcurld/db/dbtest"
)

// tlsFiles are PEM files of one authority, and of what it issued for both ends of a connection.
type tlsFiles struct{ ca, cert, key string }

func newTLSFiles(t *testing.T) tlsFiles {
	dir := t.TempDir()
	files := tlsFiles{filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityKey := newKey(t)
	own := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: node}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(localhost)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	ownKey := newKey(t)
	der, err := x509.MarshalPKCS8PrivateKey(ownKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, files.ca, "CERTIFICATE", sign(t, authority, authority, authorityKey, authorityKey))
	writePEM(t, files.cert, "CERTIFICATE", sign(t, own, authority, ownKey, authorityKey))
	writePEM(t, files.key, "PRIVATE KEY", der)
	return files
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, certificate, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) []byte {
	der, err := x509.CreateCertificate(rand.Reader, certificate, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writePEM(t *testing.T, name, kind string, der []byte) {
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLocks boots a switch whose server wants a certificate and the node's own credentials: it shows both, and is told
// its own limits. With its credentials taken away, the server answers it no more.
func TestLocks(t *testing.T) {
	files := newTLSFiles(t)
	w := &world{
		rows: connect(t, dbtest.DemoURL(t)), application: newApplication(t), trunk: party{ip: outsider, port: freePort(t, outsider)},
		external: freePort(t, localhost), internal: freePort(t, localhost), rtp: freePorts(t, 11),
	}
	eventSocket := freePort(t, localhost)
	w.putOnFreePorts(t, eventSocket)
	password := `pass:"word" & <more>`
	hash, err := bcrypt.GenerateFromPassword([]byte(password), 10)
	if err != nil {
		t.Fatal(err)
	}
	w.sql(t, `INSERT INTO node_credential (username, node, password_hash) VALUES ('its.user', $1, $2)`, node, string(hash))
	w.first = newServer(t, buildServer(t), w.rows.Config().ConnString())
	w.first.scheme = "https"
	w.first.environment = []string{"XMLCURLD_TLS_CERT=" + files.cert, "XMLCURLD_TLS_KEY=" + files.key, "XMLCURLD_TLS_CLIENT_CA=" + files.ca,
		"XMLCURLD_REQUIRE_CREDENTIALS=true", "XMLCURLD_ALLOW_NETWORKS=" + localhost + "/32"}
	w.first.start(t)

	w.fs = startFreeSWITCH(t, fmt.Sprintf("%s:%d", localhost, eventSocket), w.first.url(), "", "SWITCHNAME=somebody-else",
		"BOOTSTRAP_TLS_CA="+files.ca, "BOOTSTRAP_TLS_CERT="+files.cert, "BOOTSTRAP_TLS_KEY="+files.key, "BOOTSTRAP_CREDENTIALS=its.user:"+password)
	if status := w.fs.api(t, "status"); !strings.Contains(status, "per Sec out of max 29,") {
		t.Errorf("not the node's own limit:\n%s", status)
	}
	w.fs.checkLog(t, atBoot)

	lookUp := func() string { return w.fs.api(t, "user_exists id 1001 acme.example") }
	if reply := lookUp(); reply != "true" {
		t.Errorf("a user is %q", reply)
	}
	w.sql(t, `UPDATE node_credential SET enabled = false`)
	revoked := time.Now()
	eventually(t, "the switch gets no answer", func() error {
		if reply := lookUp(); reply != "false" {
			return fmt.Errorf("a user is %q", reply)
		}
		return nil
	})
	if took := time.Since(revoked); took > time.Second {
		t.Errorf("in force for %v", took)
	}
	w.sql(t, `UPDATE node_credential SET enabled = true`)
	eventually(t, "the switch gets answers again", func() error {
		if reply := lookUp(); reply != "true" {
			return fmt.Errorf("a user is %q", reply)
		}
		return nil
	})
}
