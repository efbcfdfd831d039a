"""The one map: layers of the manifests, time, selection, distance, wind."""
