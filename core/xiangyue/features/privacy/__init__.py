"""Protection of personal information (个人信息保护): who answers for what, who looked, and what people may ask for."""
