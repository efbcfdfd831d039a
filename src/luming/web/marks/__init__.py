"""Pages: Marks: what dischargers state of their own periods (自动监测设备标记)."""
