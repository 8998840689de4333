"""Wishes for exact variants, fair waves when units come back, offers in an editor's own voice."""
