package check

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// socketAddress finds addresses of the application socket to which nothing can connect.
func socketAddress(w *world) (found []Finding, err error) {
	for _, a := range w.actions {
		words := a.words()
		if a.Application != "socket" || len(words) == 0 {
			continue
		}
		for _, host := range strings.Split(words[0], "|") {
			if what := unreachable(host); fixed(host) && what != "" {
				found = append(found, a.finding(fmt.Sprintf("FreeSWITCH cannot connect to %s: %s; the call goes on without the application.", host, what),
					"Write host:port, with a name or an IPv4 address, for example 127.0.0.1:8084."))
				break
			}
		}
	}
	return found, nil
}

// unreachable says why FreeSWITCH cannot connect to host[:port][/path]. It takes what stands behind the last colon for the
// port, and looks the rest up as it stands.
func unreachable(host string) string {
	i := strings.LastIndexByte(host, ':')
	if i >= 0 {
		port, _, _ := strings.Cut(host[i+1:], "/")
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return fmt.Sprintf("%q is no port", port)
		}
		host = host[:i]
	} else {
		host, _, _ = strings.Cut(host, "/")
	}
	switch a, err := netip.ParseAddr(strings.Trim(host, "[]")); {
	case host == "":
		return "there is no host"
	case err == nil && a.IsUnspecified():
		return "it is no address of anybody's"
	case strings.ContainsAny(host, "[]"):
		return "it does not look up an address in brackets"
	case strings.Count(host, ":") == 1:
		return "there are two ports"
	}
	return ""
}

// eventSocket is where the server reaches a node's event socket, empty if no row says.
func (n *node) eventSocket() string {
	switch {
	case n.EventSocketAddress != "":
		return n.EventSocketAddress
	case n.EventSocketIP != "" && n.EventSocketPort != 0:
		return net.JoinHostPort(n.EventSocketIP, strconv.Itoa(n.EventSocketPort))
	}
	return ""
}

// eventSocketShared finds event sockets that several nodes are to be reached at: all but one of them cannot be there.
func eventSocketShared(w *world) (found []Finding, err error) {
	at := make(map[string][]string)
	for i := range w.nodes {
		n := &w.nodes[i]
		at[n.eventSocket()] = append(at[n.eventSocket()], n.Name)
	}
	for i := range w.nodes {
		n := &w.nodes[i]
		if all := at[n.eventSocket()]; n.eventSocket() != "" && len(all) > 1 {
			found = append(found, n.place(n.OwnEventSocket).finding(fmt.Sprintf("Nodes %s are all to be reached at %s, where one switch can be at most.", list(all), n.eventSocket()),
				"Set event_socket_address of each node to where the server reaches its event socket, as fs1.lan:8021."))
		}
	}
	return found, nil
}

// eventSocketLoopback finds event sockets on loopback which the server is to reach from elsewhere.
func eventSocketLoopback(w *world) (found []Finding, err error) {
	for i := range w.nodes {
		n := &w.nodes[i]
		host, port, err := net.SplitHostPort(n.EventSocketAddress)
		ip, ipErr := netip.ParseAddr(n.EventSocketIP)
		if err == nil && ipErr == nil && ip.IsLoopback() && !loopback(host) && port == strconv.Itoa(n.EventSocketPort) {
			found = append(found, n.place(n.OwnEventSocket).finding(fmt.Sprintf("Node %s is to be reached at %s, and its event socket listens on %s, which nobody else reaches.", n.Name, n.EventSocketAddress, n.EventSocketIP),
				"Set event_socket_ip to an address that the server reaches, such as 0.0.0.0, and event_socket_acl to who may connect."))
		}
	}
	return found, nil
}

// eventSocketClosed finds event sockets away from loopback to which nobody may connect: without a list, FreeSWITCH lets loopback
// in, and who connects to another address of the same host does not come from there.
func eventSocketClosed(w *world) (found []Finding, err error) {
	for i := range w.nodes {
		n := &w.nodes[i]
		host, _, err := net.SplitHostPort(n.EventSocketAddress)
		ip, ipErr := netip.ParseAddr(n.EventSocketIP)
		elsewhere := ipErr == nil && (ip.IsUnspecified() && err == nil && !loopback(host) || !loopback(n.EventSocketIP))
		if elsewhere && n.EventSocketACL == "" {
			found = append(found, n.place(n.OwnEventSocket).finding(fmt.Sprintf("Node %s lets only loopback into its event socket, and is to be reached at %s.", n.Name, n.eventSocket()),
				"Set event_socket_acl to who may connect, as a list or 10.0.0.0/8."))
		}
	}
	return found, nil
}

// place is the row that holds a setting of a node: its own, or the common one.
func (n *node) place(own bool) place {
	if own {
		return place{"node", "name=" + n.Name, ""}
	}
	return place{"node", "name=*", ""}
}
