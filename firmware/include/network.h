/*
 * network: a binarized neural network, emitted by ebnn 0.2.0. Do not edit.
 *
 * hash        eb717aa94ac86ae60f39ee74ee6219531f20103a5c68daa732a047e129b9d523
 * arithmetic  integer
 * input       uint8, 1×28×28 (channels×height×width), 784 B: row after row, a pixel's channels side by side
 * flash       2,807 B of constants
 * RAM         1,624 B of arena (1,312 B on AVR), the input included
 *
 * layer        input     output     weights  thresholds  MACs
 * conv1, pool  1×28×28   16×14×14   83 B     0 B         112,896
 * conv2, pool  16×14×14  32×7×7     640 B    64 B        903,168
 * output       32×7×7    10 scores  1,960 B  60 B        15,680
 */

#ifndef NETWORK_EBNN_NETWORK_H
#define NETWORK_EBNN_NETWORK_H

#include "ebnn.h"

#if !defined(EBNN_RUNTIME_VERSION) || EBNN_RUNTIME_VERSION != 2
#error "network was emitted by ebnn 0.2.0 for runtime version 2: export it again, or take the library of ebnn 0.2.0"
#endif

#define NETWORK_TITLE "network"
#define NETWORK_HASH 0xEB717AA9ul
#define NETWORK_INPUT_BYTES 784
#define NETWORK_INPUT_VALUES 784
#define NETWORK_CLASSES 10
#define NETWORK_LAYERS 3
#define NETWORK_FLASH_BYTES 2807
#if EBNN_LANES == 1
#define NETWORK_ARENA_BYTES 1312
#else
#define NETWORK_ARENA_BYTES 1624
#endif

#if defined(__AVR__) && !defined(__AVR_HAVE_MUL__)
#error "ebnn: network multiplies, which this AVR cannot: export it with --optimize size"
#endif
#if defined(__AVR__) && EBNN_RAM_OF_ONES > 0
#if NETWORK_ARENA_BYTES + EBNN_RAM_OF_ONES > RAMEND - RAMSTART + 1
#error "ebnn: no room for network and the table of ones: export it with --optimize balanced"
#endif
#endif

#if defined(__AVR__)
/* pgm_read reaches the first 64 KB only: the assembler adds up the constants of all networks in this file. */
__asm__(".ifndef ebnn_flash_bytes\n .set ebnn_flash_bytes, 0\n .endif\n"
        ".set ebnn_flash_bytes, ebnn_flash_bytes + 2807\n"
        ".if ebnn_flash_bytes > 64000\n"
        ".error \"ebnn: network brings the constants over 64000 bytes: use fewer filters\"\n"
        ".endif");
#endif

#if EBNN_LANES == 1
/* a strip's positions, columns, rows of sums; then per filter: its lookups, its level (columns.h) */
static const uint8_t network_conv1_table[83] EBNN_FLASH = {
    0x07, 0x09, 0x04, 0x1B, 0x0A, 0x02, 0xED, 0x7D, 0x92, 0x8A, 0x82, 0xB5, 0x80, 0x80, 0x01, 0x0B, 0xD6, 0x81,
    0x00, 0x01, 0x02, 0xDF, 0x7E, 0x00, 0x01, 0x02, 0x29, 0x80, 0x9B, 0x1C, 0x1D, 0x0F, 0x7E, 0x9B, 0x81, 0x1D,
    0x57, 0x7E, 0x89, 0x0A, 0x02, 0xBC, 0x80, 0x00, 0x01, 0x02, 0x42, 0x80, 0x1B, 0x0A, 0x1D, 0xDA, 0x7E, 0x80,
    0x8A, 0x8B, 0x5E, 0x82, 0x1B, 0x01, 0x9D, 0xD2, 0x7F, 0x1B, 0x1C, 0x1D, 0x73, 0x7D, 0x89, 0x81, 0x8B, 0x88,
    0x80, 0x00, 0x01, 0x0B, 0xCA, 0x7E, 0x80, 0x0A, 0x0B, 0x95, 0x80
};
#else
/* a strip's positions, columns, rows of sums; then per filter: its lookups, its level (columns.h) */
static const uint8_t network_conv1_table[83] EBNN_FLASH = {
    0x0E, 0x10, 0x04, 0x30, 0x11, 0x02, 0xED, 0x7D, 0xA0, 0x91, 0x82, 0xB5, 0x80, 0x80, 0x01, 0x12, 0xD6, 0x81,
    0x00, 0x01, 0x02, 0xDF, 0x7E, 0x00, 0x01, 0x02, 0x29, 0x80, 0xB0, 0x31, 0x32, 0x0F, 0x7E, 0xB0, 0x81, 0x32,
    0x57, 0x7E, 0x90, 0x11, 0x02, 0xBC, 0x80, 0x00, 0x01, 0x02, 0x42, 0x80, 0x30, 0x11, 0x32, 0xDA, 0x7E, 0x80,
    0x91, 0x92, 0x5E, 0x82, 0x30, 0x01, 0xB2, 0xD2, 0x7F, 0x30, 0x31, 0x32, 0x73, 0x7D, 0x90, 0x81, 0x92, 0x88,
    0x80, 0x00, 0x01, 0x12, 0xCA, 0x7E, 0x80, 0x11, 0x12, 0x95, 0x80
};
#endif

static const ebnn_conv_t network_conv1 EBNN_FLASH = {
    {9, 1, 16, EBNN_UINT8, 0, 1, NULL, NULL},
    {3, 1, 1, 28}, {3, 1, 1, 28}, {2, 2, 0, 28}, {2, 2, 0, 28},
    1, 14, 14, 0, 28,
    NULL, NULL, network_conv1_table
};

/* 32 filters of 3×3×16 bits (height×width×input), each whole words */
static const uint32_t network_conv2_weights[160] EBNN_FLASH = {
    0x92E0E9DAul, 0xB6C03713ul, 0x0F531F03ul, 0x6B713F13ul, 0x0000B0C0ul, 0x7F0B540Ful, 0x416A750Eul, 0x641B653Bul,
    0x49FB4878ul, 0x000088F2ul, 0x89949885ul, 0xD40F89E4ul, 0x8686568Eul, 0x657B6178ul, 0x0000675Bul, 0x8B730607ul,
    0x0963B2E0ul, 0x76682961ul, 0xAAF4D296ul, 0x00006B78ul, 0x15DB4F9Bul, 0xD4CE7A0Ful, 0x7F1FDE03ul, 0x6B79697Bul,
    0x000061F8ul, 0xBDE45A0Ful, 0x617A96C2ul, 0x4D7B657Bul, 0xCAFC80E4ul, 0x000088ECul, 0x7D1B6CDFul, 0xC084520Ful,
    0x700CC1A4ul, 0xC80F711Ful, 0x00007B4Cul, 0xDE8C775Eul, 0x677BC98Cul, 0xF4CE751Bul, 0x69F8C8EDul, 0x00006D7Aul,
    0x89617209ul, 0xEED700E0ul, 0x16A08B71ul, 0x03F00F73ul, 0x00001A00ul, 0xB086F49Ful, 0xDF1BFF9Ful, 0xE08C751Eul,
    0x8D5C8401ul, 0x0000771Aul, 0x02E0097Bul, 0x0B7184A6ul, 0x2E9F9680ul, 0xF6A80170ul, 0x0000AB31ul, 0x09737E2Dul,
    0x0F7B80E0ul, 0xA4E483F0ul, 0xA48401E0ul, 0x0000AC33ul, 0xEFFB697Bul, 0x00E44D7Bul, 0x80A484E4ul, 0x6510BC81ul,
    0x0000F63Eul, 0x8A009705ul, 0xF6133680ul, 0x774A0970ul, 0x49F94B7Bul, 0x0000697Aul, 0x2E217E1Ful, 0x417A0732ul,
    0x49634DFBul, 0x80F481F0ul, 0x000094E4ul, 0x2F131321ul, 0x3E1393F1ul, 0x32E80B77ul, 0x89713E07ul, 0x00003AB0ul,
    0x2172607Cul, 0xE9EC7688ul, 0x637A69FCul, 0xAAA4FE1Bul, 0x00002964ul, 0x2531E2E4ul, 0xAF7F6D7Bul, 0x82FC0B7Bul,
    0x83E0097Bul, 0x0000B683ul, 0xDDFFEDFFul, 0xE0FC4DFBul, 0x8AE4E8ECul, 0xA960F280ul, 0x000060B0ul, 0x1E0B2140ul,
    0x26C02C1Bul, 0x89773613ul, 0x0F333603ul, 0x00008971ul, 0x81C00950ul, 0x84C696A0ul, 0x771BF683ul, 0x5F5BEF9Ful,
    0x00000958ul, 0x8604BC84ul, 0x447B0402ul, 0x0D7B6D1Aul, 0xC9FAC1F8ul, 0x000008F1ul, 0x4FFBAF5Ful, 0x88C481F4ul,
    0xB682A484ul, 0x6F7B655Bul, 0x00004D7Dul, 0x6D6B6178ul, 0x00E4C6B3ul, 0x697EE9FCul, 0xB2F486F6ul, 0x00008964ul,
    0x1607606Aul, 0xE9FCC48Aul, 0x497BE9FCul, 0xA0EC8284ul, 0x00000964ul, 0x3607B5F4ul, 0xBDD789FDul, 0xC084F75Eul,
    0xF28CF9DFul, 0x0000FD1Bul, 0xF9DFFE1Ful, 0x415BF88Ful, 0xBF7F9204ul, 0x720121CCul, 0x00008A95ul, 0x88E49485ul,
    0x514B80E4ul, 0x76DFE51Ful, 0x4D7A6978ul, 0x000059DBul, 0x6DDB6978ul, 0x89F8F601ul, 0x379396C3ul, 0x9FF39CE6ul,
    0x00007B13ul, 0x6178A978ul, 0x98847D7Bul, 0x28FCA2A4ul, 0xB2174F03ul, 0x00008B25ul, 0x7FE7F4EFul, 0xCDFB65FBul,
    0x0978C3FAul, 0x948480E4ul, 0x0000D08Cul, 0x3F5396C4ul, 0x7F176B17ul, 0x90C4E9FEul, 0xB6A4C3ECul, 0x00007FDBul
};

/* per output: its bit is acc >= threshold */
static const int16_t network_conv2_thresholds[32] EBNN_FLASH = {
    35, 8, 18, 27, -7, 25, -9, -4, 44, 0, 38, 38, 24, 21, 38, 33, 22, 32, 11, 30, 28, 28, 15, 34, 21, -1, 6, 23,
    27, 24, 16, 15
};

static const ebnn_conv_t network_conv2 EBNN_FLASH = {
    {144, 5, 32, EBNN_BITS, 2, 1, network_conv2_weights, network_conv2_thresholds},
    {3, 1, 1, 14}, {3, 1, 1, 14}, {2, 2, 0, 14}, {2, 2, 0, 14},
    16, 7, 7, 28, 28,
    NULL, NULL, NULL
};

/* 10 outputs of 1568 bits in the order of the input's memory, each whole words; 4 word beside word */
static const uint32_t network_output_weights[490] EBNN_FLASH = {
    0x813462AEul, 0x3FDBB7B2ul, 0x52357828ul, 0x5422166Dul, 0x9125E843ul, 0x01B9D89Aul, 0xCA4890ADul, 0x1CAD9A48ul,
    0x9A226202ul, 0x24AB8DABul, 0x8E401274ul, 0x0ACAB0BCul, 0x9C4430BAul, 0xB29F5D00ul, 0xAE60B2E4ul, 0x4EFE9467ul,
    0x7FC67882ul, 0xF20EFD51ul, 0x9BC51210ul, 0x2D488205ul, 0xE3ACBCE8ul, 0xB88F2B0Dul, 0x4B25B252ul, 0x23C8A0F9ul,
    0x21ADFE8Aul, 0x4D08E28Aul, 0x140CBE4Eul, 0x7D8B68BAul, 0x633ECAA8ul, 0xC9FB7DF5ul, 0x17D096C5ul, 0xEBD93690ul,
    0x61021B2Cul, 0x69E1DA1Aul, 0x191D6237ul, 0x4A5576B7ul, 0x82114240ul, 0x000030CCul, 0x9B957202ul, 0xE9F536BEul,
    0x23C056EBul, 0x040A0D02ul, 0xAD0132DFul, 0x6DC132FCul, 0xB78502C8ul, 0x100B0D02ul, 0xAD0582C7ul, 0x24099345ul,
    0xB7C592C0ul, 0x10500D01ul, 0x84010246ul, 0x04008241ul, 0x20D780FAul, 0x20B9AB13ul, 0x1406BE02ul, 0x20080003ul,
    0x4987E03Aul, 0xB4996603ul, 0x69D89096ul, 0x7BDD74BFul, 0x865ACF52ul, 0x89635886ul, 0x69FDF0AFul, 0xF9FF70AFul,
    0xB21E57C3ul, 0x88726207ul, 0x69EF78AEul, 0xF9F77CAFul, 0x3839AEDBul, 0x012E4920ul, 0x7DAFE9EBul, 0xDE7A73A1ul,
    0x0E8126D2ul, 0x1181300Aul, 0x14032482ul, 0xD25AAB01ul, 0x14018640ul, 0x0A384590ul, 0x940A8500ul, 0x903AA983ul,
    0x83CE80D0ul, 0x0189A500ul, 0xD1912482ul, 0x00028803ul, 0x10252958ul, 0x00689821ul, 0xEBDE5520ul, 0x6BFF5C21ul,
    0x96188F51ul, 0x587800B4ul, 0xFBF65D27ul, 0x61EDB4ADul, 0x06088D11ul, 0x40769D4Bul, 0xFBF65B25ul, 0x11F7BDBEul,
    0xA18FE91Bul, 0x000C0412ul, 0xF0D6D850ul, 0xDFFD3EB5ul, 0x15830558ul, 0x0002A50Aul, 0x70DBCD8Bul, 0xCF74C2F3ul,
    0x163A8510ul, 0x88280498ul, 0x505AFD39ul, 0xE66FCACAul, 0x0208A740ul, 0x3930E988ul, 0xFAF97FFDul, 0x01806091ul,
    0x95258DCFul, 0xC262400Aul, 0x9FD09721ul, 0x4E40B6CEul, 0x16098351ul, 0xE9C658A4ul, 0x903C9F41ul, 0x69C758ACul,
    0x06098208ul, 0x40A1F948ul, 0x167E0F05ul, 0x69E770ACul, 0x73839D08ul, 0x11815D0Aul, 0xC65ADA01ul, 0xEBB752E4ul,
    0x73BB5509ul, 0x2041CD00ul, 0x2B9CFC6Dul, 0xB56730C5ul, 0xD23EFFB0ul, 0xEBD91049ul, 0x6BF57E7Cul, 0x840A0641ul,
    0xC3A8E393ul, 0xB6EB6AFCul, 0xFFF6F3F6ul, 0x00088408ul, 0x9428C26Bul, 0xABF7BF3Dul, 0x477DE3DDul, 0xDF7742FEul,
    0x12292252ul, 0x693E3DFBul, 0x5018A1DBul, 0x6BE71246ul, 0x0A81825Dul, 0x50351C1Aul, 0xC87CCEEBul, 0xFBF75A26ul,
    0xCEF77AF4ul, 0x1B002586ul, 0xEDB8526Dul, 0xDFFE5E83ul, 0xD3B45893ul, 0x0D171046ul, 0xEFC512F4ul, 0xD03E9D91ul,
    0x98B85E9Bul, 0x6CE433FEul, 0x6FF733FCul, 0x901AE701ul, 0x12BFEDDAul, 0x8F8B1E64ul, 0x7EF6192Dul, 0x1028E90Aul,
    0xE29F6842ul, 0x62043042ul, 0x03845A03ul, 0xF8537EADul, 0x73A4E332ul, 0xF59E35CAul, 0x41465932ul, 0xDFB7BF6Eul,
    0x3D424220ul, 0x71FDD576ul, 0x61645A24ul, 0x9F7416A5ul, 0xEC245220ul, 0x0BB8D12Cul, 0x85500229ul, 0xDC769EFDul,
    0x84400220ul, 0x64E13D70ul, 0x4C055A6Cul, 0x945B8EE1ul, 0xA5110208ul, 0x10CE7500ul, 0x6DE75DCCul, 0xC41EB5B1ul,
    0x7004403Aul, 0x36FE08C0ul, 0x585C30FBul, 0x01B031D2ul, 0xAB26E0A3ul, 0x08896E18ul, 0xF692DD45ul, 0x93B34991ul,
    0xE9B330B2ul, 0x2D2FE3B3ul, 0x665F9D0Dul, 0x818743D0ul, 0x2BA7FC0Aul, 0x92B8610Bul, 0xB69F8F41ul, 0x149472A1ul,
    0xB197DC4Bul, 0x15F80D7Bul, 0x974EBF51ul, 0xDD5C370Dul, 0x25EFFDB3ul, 0x7D5FBD15ul, 0x9E4A2F53ul, 0x9D381255ul,
    0xB29FCDA8ul, 0x88DBA5DDul, 0xFE7E8751ul, 0x1ED93B75ul, 0x7191D1E0ul, 0x6FFA8BBDul, 0xEE932DC7ul, 0x027651B0ul,
    0x7074DCD5ul, 0x14A9ACCEul, 0xFEC1AF56ul, 0x64D39BFEul, 0x67BDFFADul, 0x05049E4Cul, 0x3E7B9D5Dul, 0x69A7B7ACul,
    0x25AF8D29ul, 0x6608954Cul, 0x903AE109ul, 0x69A595ECul, 0x258FAD09ul, 0x61347B20ul, 0x103A6D1Bul, 0x6BA122FAul,
    0x340FCD09ul, 0x7A727DF6ul, 0x18A26D9Ful, 0x49B07847ul, 0xB1BFDD13ul, 0x7AFE7DFFul, 0x08A86CEFul, 0x550B59A3ul,
    0xFEDBFFFFul, 0x5EF25FF5ul, 0x082D97A7ul, 0xCC5A9070ul, 0x2C2A50D3ul, 0x04048400ul, 0x9E91E323ul, 0xFB2573D6ul,
    0x860BD4D2ul, 0x040122C8ul, 0x1E1E8539ul, 0x6BC576EEul, 0xB60D8D00ul, 0x06088744ul, 0x103ACD01ul, 0x69BDF0F6ul,
    0x200BAD09ul, 0x69EDF4FEul, 0xD07ADD29ul, 0x69BEF2F6ul, 0x161A8D08ul, 0x69E552FEul, 0xD1F55EBFul, 0x0E983296ul,
    0xD39BED18ul, 0x6BF55AFEul, 0x49F55AEEul, 0x019AF309ul, 0xEE75BB7Aul, 0xCF7D72F6ul, 0x7186F9EAul, 0x03259D02ul,
    0x9A7412DCul, 0x2887FA94ul, 0x402CAB49ul, 0xDAFC5165ul, 0x1A5307B6ul, 0x69E1E2ECul, 0x10188550ul, 0x59FF74FFul,
    0x0F180237ul, 0x0BF120E4ul, 0x041C8F40ul, 0x61BEFDABul, 0xA8E1EB6Eul, 0x6FCDD07Aul, 0xEA7EDF05ul, 0x500BED1Aul,
    0x1E788D0Eul, 0x6D8510E6ul, 0xEBF512E4ul, 0x5C10CC6Aul, 0x6973A934ul, 0x2D851042ul, 0x2D810287ul, 0x6D9383BCul,
    0x6872656Eul, 0x75C7326Aul, 0x9B088505ul, 0x041BAF18ul, 0x9952EFADul, 0x2ADF98BCul, 0xC32029D8ul, 0x58BD947Bul,
    0x5DBD12E7ul, 0x69E774BCul, 0x1009A259ul, 0x51DFFCBBul, 0x65BC5366ul, 0xEDE758EEul, 0x1608A658ul, 0x427EFDBFul,
    0x7DF572E6ul, 0x27AF19A8ul, 0x8C18865Cul, 0x1031AD08ul, 0x4A7CBAFEul, 0x31811807ul, 0xBD8A0275ul, 0x5838DCB6ul,
    0x4A563D7Cul, 0x85030001ul, 0xE21AE789ul, 0x7A76FDFDul, 0x68D27B84ul, 0xB6380545ul, 0xAEDFE7B7ul, 0x01B04D97ul,
    0xCB024EABul, 0x2CC0248Aul, 0xAF790A0Bul, 0xF24C51ECul, 0x65FE33AFul, 0x69D7D6AEul, 0x36276358ul, 0xBB7E3305ul,
    0xC46C9D29ul, 0x6AF6DCA7ul, 0x138343C1ul, 0x106EAD0Bul, 0x5109E599ul, 0xBBFE7EADul, 0xEFB92274ul, 0x3009AD8Aul,
    0x1FA9EF68ul, 0xD0BB9F83ul, 0xCB545F36ul, 0x2806AF48ul, 0x4D44137Cul, 0x9030C60Bul, 0x5E32460Dul, 0xC208074Aul,
    0x69D7A8FCul, 0x867A6657ul, 0xD7624AAAul, 0xCA457848ul, 0x57FE3045ul, 0xA7385529ul, 0x1C740FD7ul, 0x7D39E4FAul,
    0xE2681053ul, 0x2D065F60ul, 0x5FF3F686ul, 0xDEFAA04Bul, 0xA329DD13ul, 0x8FE41F25ul, 0x7F95EE07ul, 0xE23BAD19ul,
    0x218BFD5Eul, 0xDEF697BFul, 0xDA140255ul, 0x73ABEDDAul, 0x63ABFDFEul, 0x887A8E65ul, 0x8EB0825Dul, 0x7BABADD5ul,
    0x61A658C6ul, 0x92B1CC93ul, 0x8613A717ul, 0x13488918ul, 0x19C2545Aul, 0xDF6DEEB5ul, 0x32053C09ul, 0x3705000Ful,
    0x022D02CFul, 0x87130BD3ul, 0x123CB068ul, 0xF67CD88Bul, 0xF473BD76ul, 0x27763E1Eul, 0x1BAA6DECul, 0x3120CC0Bul,
    0x96534E53ul, 0x97563E01ul, 0xDE5302FDul, 0xBEC213DCul, 0xAEE61EF0ul, 0xE7EA0CC0ul, 0xB08DEB14ul, 0xA6008FD9ul,
    0xB601A25Dul, 0xA6458245ul, 0xD25A2BF5ul, 0xBC7AAD9Dul, 0x515BB555ul, 0x25E262D2ul, 0x968143D2ul, 0xBE0102D6ul,
    0xBE5882C5ul, 0xFE5EEAFDul, 0xDE7FCECFul, 0xCB2440DBul, 0x019A890Bul, 0x963EC951ul, 0x961AA759ul, 0x0E0882D3ul,
    0xE74732D4ul, 0xB4471240ul, 0xA00E620Bul, 0x04C1298Aul, 0x84098341ul, 0x8609A653ul, 0xCFC0A3FDul, 0x967A3D01ul,
    0x921A0601ul, 0x11E285D1ul, 0x2726D920ul, 0x250553A2ul, 0x3D845226ul, 0xCC761AEBul, 0x867B4EEBul, 0x8F6B532Bul,
    0x20A3F468ul, 0xC74CB037ul, 0x3C7C02C0ul, 0xF2104051ul, 0x52084251ul, 0xADA8229Dul, 0xC884B90Dul, 0x127A4284ul,
    0x91136003ul, 0x92724E11ul, 0x9A725A53ul, 0xDA7252F4ul, 0xBFC512FCul, 0x8F0C025Aul, 0x8940610Aul, 0xB72EEF2Bul,
    0x961A8F41ul, 0x96188F11ul, 0xD65002B5ul, 0xE55702F1ul, 0xA50B023Cul, 0x09253220ul, 0x1401A3DAul, 0x96018351ul,
    0xAF816274ul, 0xDBF072F7ul, 0x023A3B03ul, 0x00368C38ul, 0x0482AD2Aul, 0x25246940ul, 0xE78142D6ul, 0xEDA57264ul,
    0xFDF772F3ul, 0x10286D12ul, 0x0018851Aul, 0x10914C4Eul, 0x11214ADEul, 0xEBDE7DAEul, 0xFD769F24ul, 0xF049FD3Bul,
    0x1001EE4Cul, 0x0582A07Cul, 0xFCE5D275ul, 0x98DADF84ul, 0xFEDA94E1ul, 0x822BAF19ul, 0x47ABA5DAul, 0x3B2B27FCul,
    0x0E8B8F7Eul, 0xC952DFC5ul
};

/* per class */
static const int16_t network_output_multipliers[10] EBNN_FLASH = {
    28906, 29848, 28390, 32767, 31220, 30073, 26978, 30861, 29461, 29147
};

/* per class; score × 2.1670655374623265e-06 is the trainer's logit */
static const int32_t network_output_offsets[10] EBNN_FLASH = {
    -6205468l, -3094375l, 1707400l, -276762l, -35321l, 976867l, 1693408l, 483417l, -2884866l, -2747257l
};

static const ebnn_output_t network_output EBNN_FLASH = {
    {1568, 49, 10, EBNN_BITS, 0, 0, network_output_weights, NULL},
    network_output_multipliers, network_output_offsets
};

/* Activations lie at opposite ends in turn, the patch under the kernel between them. */
static union {
    uint8_t bytes[NETWORK_ARENA_BYTES];
    uint32_t words[NETWORK_ARENA_BYTES / 4]; /* aligns the rest */
    float floats[NETWORK_ARENA_BYTES / 4];
} network_arena;

/* Where a sample may be written; it is overwritten by the prediction. */
static inline uint8_t *network_input(void)
{
    return (uint8_t *)(void *)network_arena.bytes;
}

/* Runs one layer; in turn, from 0 to NETWORK_LAYERS - 1, they are a prediction. The first takes the input, the last
 * writes the scores, if not NULL, and returns the class; the others return 0. */
static inline uint8_t network_layer(uint8_t index, const uint8_t *input, int32_t *scores)
{
    switch (index) {
    case 0:
        ebnn_conv_columns(&network_conv1, input, network_arena.bytes + NETWORK_ARENA_BYTES - 392, network_arena.bytes + 784);
        return 0;
    case 1:
        ebnn_conv(&network_conv2, ebnn_gather_octets, ebnn_compare_each, network_arena.bytes + NETWORK_ARENA_BYTES - 392, network_arena.bytes, network_arena.bytes + 196);
        return 0;
    default:
        return ebnn_output_bits_4(&network_output, network_arena.bytes, scores);
    }
}

/* input: NETWORK_INPUT_BYTES bytes, anywhere. scores: NETWORK_CLASSES of them, or NULL. Returns the class. */
static inline uint8_t network_scores(const uint8_t *input, int32_t *scores)
{
    uint8_t index, winner = 0;

    for (index = 0; index < NETWORK_LAYERS; index++)
        winner = network_layer(index, input, scores);
    return winner;
}

/* input: NETWORK_INPUT_BYTES bytes, anywhere. Returns the class. */
static inline uint8_t network_predict(const uint8_t *input)
{
    return network_scores(input, NULL);
}

/* Names without a name, for the program's first network. */
#ifndef EBNN_NETWORK_NAME
#define EBNN_NETWORK_NAME NETWORK_TITLE
#define EBNN_NETWORK_HASH NETWORK_HASH
#define EBNN_INPUT_TYPE uint8_t
#define EBNN_INPUT_BYTES NETWORK_INPUT_BYTES
#define EBNN_CLASSES NETWORK_CLASSES
#define EBNN_LAYERS NETWORK_LAYERS
#define EBNN_ARENA_BYTES NETWORK_ARENA_BYTES
#define ebnn_network_input network_input
#define ebnn_network_layer network_layer
#define ebnn_network_scores network_scores

/* As in eBNN: writes the class to output[0]. */
static inline void ebnn_compute(const uint8_t *input, uint8_t *output)
{
    output[0] = network_predict(input);
}
#endif

#elif NETWORK_HASH != 0xEB717AA9ul
#error "two networks are called network: export one of them with another --name"
#endif
