"""One enterprise, one file: pages of facilities, stations, sections and regions, composed from the manifests."""
