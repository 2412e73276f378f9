"""SKU mapping: which OCS SKU and barcode a POS's own SKU stands for."""
