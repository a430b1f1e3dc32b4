"""Customers, who may call, and what happened."""

from django.db import models


class ApiToken(models.Model):
    digest = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.digest[:8]


class Customer(models.Model):
    external_id = models.CharField(max_length=50, unique=True)
    chat_id = models.BigIntegerField(unique=True)

    def __str__(self) -> str:
        return self.external_id


class Event(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20)
    data = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.kind
