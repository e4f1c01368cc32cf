-- `updated_at` is the moment of a row's last change by the clock of the form's service, as it was when the row was
-- fetched; null for rows fetched before this column was there.
ALTER TABLE record ADD COLUMN updated_at BIGINT;

-- Watermarks were moments of this machine's clock, which may have been ahead of the service's: rows changed meanwhile were
-- never read. Each flow reads its whole form once.
UPDATE watermark SET asked = query WHERE asked = '';
