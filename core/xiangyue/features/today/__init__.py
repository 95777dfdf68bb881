"""The first page (今日): the work list, what I owe and what is late."""
