"""What readers of other programs' files share: their times, their failures, their JSON piece by piece."""
