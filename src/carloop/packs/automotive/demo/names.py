"""Names, places and products of the invented car maker Chiyuan (驰远)."""

from __future__ import annotations

from typing import NamedTuple

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN_MALE = "伟强磊军洋勇杰涛斌超鹏辉波宇浩凯健俊帆博文哲轩明志远子豪"
GIVEN_FEMALE = "芳娜敏静丽艳秀娟霞燕玲婷雪琳欣怡佳慧颖倩雅诗涵梦瑶梓萱"


class City(NamedTuple):
    """A city with its GB/T 2260 code, province and weight in sales."""

    code: str
    name: str
    province: str
    region: str
    weight: float


CITIES = (
    City("110100", "北京", "北京", "华北", 6.0),
    City("120100", "天津", "天津", "华北", 2.6),
    City("130100", "石家庄", "河北", "华北", 2.2),
    City("140100", "太原", "山西", "华北", 1.6),
    City("210100", "沈阳", "辽宁", "东北", 2.2),
    City("220100", "长春", "吉林", "东北", 1.5),
    City("230100", "哈尔滨", "黑龙江", "东北", 1.7),
    City("310100", "上海", "上海", "华东", 6.5),
    City("320100", "南京", "江苏", "华东", 3.2),
    City("320500", "苏州", "江苏", "华东", 4.0),
    City("330100", "杭州", "浙江", "华东", 4.4),
    City("330200", "宁波", "浙江", "华东", 2.7),
    City("340100", "合肥", "安徽", "华东", 2.6),
    City("350100", "福州", "福建", "华东", 1.8),
    City("360100", "南昌", "江西", "华东", 1.6),
    City("370100", "济南", "山东", "华东", 2.6),
    City("370200", "青岛", "山东", "华东", 2.6),
    City("410100", "郑州", "河南", "华中", 3.4),
    City("420100", "武汉", "湖北", "华中", 3.6),
    City("430100", "长沙", "湖南", "华中", 2.8),
    City("440100", "广州", "广东", "华南", 5.2),
    City("440300", "深圳", "广东", "华南", 5.4),
    City("440600", "佛山", "广东", "华南", 2.4),
    City("450100", "南宁", "广西", "华南", 1.6),
    City("500100", "重庆", "重庆", "西南", 4.2),
    City("510100", "成都", "四川", "西南", 5.0),
    City("520100", "贵阳", "贵州", "西南", 1.4),
    City("530100", "昆明", "云南", "西南", 1.8),
    City("610100", "西安", "陕西", "西北", 3.0),
    City("650100", "乌鲁木齐", "新疆", "西北", 1.0),
)


class Series(NamedTuple):
    """A car series: VIN descriptor, guide price in CNY, electric or not, share of sales."""

    name: str
    descriptor: str
    price: int
    electric: bool
    weight: float


SERIES = (
    Series("C3", "AA3B1", 89_800, False, 2.2),
    Series("C5", "AC5A1", 129_800, False, 2.6),
    Series("S5", "BS5C2", 139_800, False, 3.0),
    Series("S7", "BS7D2", 189_800, False, 2.0),
    Series("E6", "EE6E3", 169_800, True, 2.4),
    Series("M8", "CM8F2", 229_800, False, 0.9),
)


class Channel(NamedTuple):
    """A lead channel: share of leads, and how likely its leads are to buy (1 = average)."""

    name: str
    share: float
    quality: float


CHANNELS = (
    Channel("汽车之家", 0.22, 1.2),
    Channel("懂车帝", 0.18, 1.0),
    Channel("易车", 0.10, 1.0),
    Channel("抖音", 0.20, 0.45),
    Channel("官网", 0.10, 1.4),
    Channel("小程序", 0.08, 1.2),
    Channel("车展", 0.05, 0.9),
    Channel("自然到店", 0.04, 2.0),
    Channel("转介绍", 0.03, 3.2),
)

COMPETITORS = ("比亚迪", "大众", "丰田", "特斯拉", "吉利", "长安", "理想")
LOST_REASONS = ("价格", "竞品", "金融未过", "暂不购车", "联系不上", "家人反对")
INVALID_REASONS = ("空号", "非本人", "重复", "误点")
COMPLAINT_REASONS = ("异响", "油耗", "服务态度", "等待时间", "车机卡顿", "配件缺货")
CARE_REASONS = ("生日", "节日", "首保提醒", "续保提醒")
OCCUPATIONS = ("企业职员", "个体经营", "公务员", "教师", "医生", "工程师", "自由职业", "学生")
INTERESTS = ("自驾游", "亲子", "摄影", "露营", "科技", "运动", "美食", "改装")
CONTENT_TYPES = ("品牌故事", "试驾评测", "用车攻略", "家庭自驾", "技术解读", "优惠活动")
KEYWORDS = ("油耗", "落地价", "保养费用", "续航", "空间", "安全", "对比 大众", "优惠")
