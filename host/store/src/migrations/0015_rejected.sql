-- An operation that WeCom did not accept is rejected.

UPDATE operation SET state = 'rejected' WHERE state = 'refused';
