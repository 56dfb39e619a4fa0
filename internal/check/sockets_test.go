package check_test

import "testing"

// socket is an edit that gives the transport of Vumi another address.
func socket(data string) string {
	return `UPDATE action SET data = '` + data + `' WHERE application = 'socket'`
}

const theSocket = "socket-address action extension=twilio.inbound position=3"

var socketCases = []found{
	{"port 0", socket("127.0.0.1:0 async full"), []string{theSocket}},
	{"a port too high", socket("127.0.0.1:80510"), []string{theSocket}},
	{"no port", socket("vumi:port"), []string{theSocket}},
	{"nobody's address", socket("0.0.0.0:8051"), []string{theSocket}},
	{"IPv6 in brackets", socket("[::1]:8051"), []string{theSocket}},
	{"one of two", socket("127.0.0.1:8051|:8052"), []string{theSocket}},
	{"hosts", socket("127.0.0.1|vumi.lan:8051/path|${host}:0 async full"), nil},

	{"two nodes at one address", `INSERT INTO node (name) VALUES ('fs1'), ('fs2')`, []string{"event-socket-shared node name=*: fs1, fs2"}},
	{"two nodes at one address of their own", `INSERT INTO node (name, event_socket_address) VALUES ('fs1', 'fs.lan:8021'), ('fs2', 'fs.lan:8021');
		UPDATE node SET event_socket_ip = '0.0.0.0', event_socket_acl = 'phones' WHERE name = '*'`,
		[]string{"event-socket-shared node name=fs1", "event-socket-shared node name=fs2"}},
	{"two nodes", twoNodes, nil},
	{"another address of the host", `UPDATE node SET event_socket_ip = '192.0.2.1'`, []string{"event-socket-closed node name=*"}},
	{"all addresses, from elsewhere", `UPDATE node SET event_socket_ip = '0.0.0.0', event_socket_address = 'fs1.lan:8021'`, []string{"event-socket-closed node name=*"}},
	{"all addresses, from here", `UPDATE node SET event_socket_ip = '0.0.0.0'`, nil},
	{"another address, with a list", `UPDATE node SET event_socket_ip = '192.0.2.1', event_socket_acl = '192.0.2.0/24'`, nil},
	{"loopback, from elsewhere", `INSERT INTO node (name, event_socket_address) VALUES ('fs1', 'fs1.lan:8021')`, []string{"event-socket-loopback node name=fs1"}},
	{"loopback, by a tunnel", `INSERT INTO node (name, event_socket_address) VALUES ('fs1', '127.0.0.1:18021')`, nil},
}

func TestSockets(t *testing.T) {
	t.Parallel()
	finds(t, socketCases)
}
