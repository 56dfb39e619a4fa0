package main

import (
	"fmt"
	"net/netip"
	"strings"
)

// parseNetworks reads networks and addresses, separated by commas.
func parseNetworks(to *[]netip.Prefix, text string) error {
	for word := range strings.SplitSeq(text, ",") {
		network, err := parseNetwork(strings.TrimSpace(word))
		if err != nil {
			return err
		}
		*to = append(*to, network)
	}
	return nil
}

func parseNetwork(word string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(word); err == nil && address.Zone() == "" {
		return netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()), nil
	}
	network, err := netip.ParsePrefix(word)
	switch {
	case err != nil || network.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q is not a network such as 192.0.2.0/24 or 2001:db8::/32", word)
	case network != network.Masked():
		return netip.Prefix{}, fmt.Errorf("%q has bits beyond its mask: the network is %s", word, network.Masked())
	}
	return network, nil
}
