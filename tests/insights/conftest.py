from tests.admin.conftest import bank, owner, page, shop, signed_in

__all__ = ["bank", "owner", "page", "shop", "signed_in"]
